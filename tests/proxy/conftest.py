"""One Jupyter server per test module, one session per test."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qconnect_web.proxy import display_line, tornado_streams
from qconnect_web.proxy.log_limit import LINES, Bucket
from qconnect_web.sessions.store import Store
from qconnect_web.transports.tls import TlsTransport
from tests.support.jupyter_here import Jupyter, Manager, at_home
from tests.support.node_server import NodeServer, Speak
from tests.support.session_run import Run, new_run


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    home = tmp_path_factory.mktemp("home")
    with at_home(home):
        server = Jupyter(home, Manager(Store(home / "none"), TlsTransport()))
        yield server
        server.close()


@pytest.fixture
def run(tmp_path: Path, jupyter: Jupyter) -> Iterator[Run]:
    """A started session, 17.local, that the server finds; its display is not published yet."""
    store = Store(tmp_path / "sessions")
    store.prepare()
    jupyter.manager.store = store
    jupyter.manager.transport = TlsTransport()
    jupyter.quiet._bucket = Bucket(LINES)  # each test may fill the log anew
    yield new_run(store)
    jupyter.manager.hold = jupyter.manager.raises = None


@pytest.fixture
def node(run: Run) -> Iterator[Callable[..., NodeServer]]:
    """Starts the session's display on a port of its own and publishes it."""
    nodes = []

    def start(speak: Speak, context: ssl.SSLContext | None = None, *, plain: bool = False) -> NodeServer:
        found = NodeServer(speak, None if plain else context or run.server_context())
        nodes.append(found)
        run.publish(port=found.port)
        return found

    yield start
    for found in nodes:
        found.close()


@pytest.fixture(params=["relay", "sockets", "streams"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """All pumps: the relay process, this process's sockets, and what remains with a Tornado that changed inside."""
    if request.param != "relay":
        monkeypatch.setattr(display_line, "movable", lambda browser, endpoint: False)
    if request.param == "streams":
        monkeypatch.setattr(tornado_streams, "can_take", lambda stream: False)
    return str(request.param)
