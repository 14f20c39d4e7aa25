"""Where a Jupyter server may itself be: its own TLS, a socket, other addresses, base URLs of any letters."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.fronts.visitor import Visitor
from tests.support.reverse_proxies import NAME, PREFIX, Nginx
from tests.support.servers import JupyterServer

EVERY = "0.0.0.0"  # noqa: S104 - that Jupyter may listen there is what is tested
pytestmark = pytest.mark.usefixtures("browser_code")


@dataclass
class PlacedServer(JupyterServer):
    """A server with settings of its own for where it is."""

    place: dict[str, Any] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        return self.place


@contextmanager
def running(server: JupyterServer) -> Iterator[str]:
    """The server, and a session of it that is ready."""
    try:
        server.start()
        yield server.wait_for(server.launch()["id"], "READY")["id"]
    finally:
        server.close()


def assert_works(visitor: Visitor, session: str) -> None:
    """A page comes in, its heartbeat is answered and the display opens."""
    visitor.login()
    page = visitor.ask(f"qconnect/{session}/")
    assert page.status == 200
    heard = visitor.heartbeat(session)
    assert isinstance(heard, dict), heard
    assert heard["session"]["url"] == f"{visitor.prefix}qconnect/{session}/"
    assert visitor.display(session) == 101


def at(server: JupyterServer, origin: str = "") -> Visitor:
    return Visitor(origin or server.origin, server.prefix, server.token, server.port, server.context)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_jupyters_own_tls(tmp_path: Path, home: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    server = PlacedServer(home, place={"certfile": str(tmp_path / "both.pem")}, context=context)
    with running(server) as session:
        browser = at(server)
        assert_works(browser, session)
        browser.origin = f"http://127.0.0.1:{server.port}"
        assert browser.heartbeat(session) == 403, "a page without TLS is another page"


@pytest.mark.parametrize("base", ["/user/a@b.org/", "/user/a%20b/", "/a%20b/%40c/d~e/"])
def test_a_base_url_with_blanks_and_such(home: Path, base: str) -> None:
    """As JupyterHub makes them of its users' names."""
    server = PlacedServer(home, prefix=base)
    with running(server) as session:
        assert_works(at(server), session)


@pytest.mark.parametrize("ip", [EVERY, "127.0.0.2"])
def test_another_address(home: Path, ip: str) -> None:
    """On all of them Jupyter goes by any name, and so do we, as long as the page's is the same."""
    server = AddressedServer(home, place={"ip": ip})
    server.address = "127.0.0.1" if ip == EVERY else ip
    with running(server) as session:
        browser = Visitor(server.origin, "/", server.token, server.port, address=server.address)
        assert_works(browser, session)
        browser.origin = f"http://elsewhere.example:{server.port}"
        if ip == EVERY:
            assert_works(browser, session)
        else:
            assert browser.ask(f"qconnect/?token={server.token}").status == 403


class AddressedServer(PlacedServer):
    """A server at another address of this machine."""

    address = "127.0.0.1"

    @property
    def origin(self) -> str:
        return f"http://{self.address}:{self.port}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="qc-") as found:
        yield Path(found)


class SocketServer(JupyterServer):
    """The same server, first on a port, then on a socket alone: its session lives on meanwhile."""

    sock: Path | None = None

    def settings(self) -> dict[str, Any]:
        alone = {"sock": str(self.sock), "port": 8888} if self.sock else {}  # its default: none is asked for
        return {"local_hostnames": ["localhost", NAME], **alone}

    def answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.log[-2000:]
        return self.sock.exists() if self.sock else super().answers()


def test_a_socket_and_a_front_before_it(tmp_path: Path, home: Path, folder: Path) -> None:
    server = SocketServer(home, prefix=PREFIX)
    front = Nginx(tmp_path / "nginx", f"http://unix:{folder}/jupyter.sock:")
    with running(server) as session:
        server.stop()
        server.sock = folder / "jupyter.sock"
        server.start()
        alone = Visitor("http://localhost", PREFIX, server.token, 0, unix=str(server.sock))
        assert_works(alone, session)
        try:
            front.start()
            assert_works(Visitor(front.origin, PREFIX, server.token, front.port, front.trust()), session)
        finally:
            front.close()
