"""Whatever a request or a record says, the server dials what the session's own record names, and nothing else."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qconnect_web.sessions.store import Store
from qconnect_web.transports.local import is_here
from qconnect_web.transports.tls import TlsTransport
from tests.support.extent import LONG
from tests.support.jupyter_here import BASE, VIEWER, Jupyter, Manager, at_home
from tests.support.session_run import Run, new_run

EXAMPLES = 10_000 if LONG else 300
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
ELSEWHERE = st.sampled_from(
    ["evil.example", "evil.example:22", "169.254.169.254", "localhost:631", "[::1]:631", "a@evil.example", "http://x/"]
)
WORDS = st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Z"]), max_size=24)
JOBS = st.one_of(st.just("17.local"), st.just("17"), WORDS, st.builds("17.{}".format, WORDS), ELSEWHERE)
RESTS = st.one_of(
    st.sampled_from([f"ws/{VIEWER}", f"t/TICKET/ws/{VIEWER}", "t/TICKET/", "t/TICKET/index.html"]),
    st.builds("t/TICKET/{}".format, st.one_of(WORDS, ELSEWHERE)),
    st.builds("ws/{}".format, WORDS),
    st.builds(f"ws/{VIEWER}?host={{}}&port=22".format, ELSEWHERE),
)
NODES = st.one_of(st.sampled_from(["node1", "n-2.cluster.org", "10.1.2.3", "localhost"]), WORDS, ELSEWHERE)
PORTS = st.one_of(st.integers(1024, 65535), st.integers(-1, 70000))
NAMES = st.sampled_from(["X-Forwarded-Host", "X-ProxyContextPath", "Forwarded", "Referer", "X-Original-URL", "Via"])
SAID = st.dictionaries(NAMES, ELSEWHERE, max_size=3)
Address = tuple[Any, Any]


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A server in this process, so that what it dials can be seen where Python asks the system for it."""
    home = tmp_path_factory.mktemp("home")
    store = Store(home / "sessions")
    store.prepare()
    with at_home(home):
        server = Jupyter(home, Manager(store, TlsTransport()))
        yield server
        server.close()


@pytest.fixture
def dialled(jupyter: Jupyter, monkeypatch: pytest.MonkeyPatch) -> list[Address]:
    """Host and port of all that this process looks up or connects to, but for the server itself; nobody answers."""
    found: list[Address] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connecting(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX or address[:2] == ("127.0.0.1", jupyter.port):
            return connect(self, address)
        found.append(address[:2])
        raise ConnectionRefusedError(111, "Connection refused")

    def looking(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if (host, port) == ("127.0.0.1", jupyter.port):
            return look_up(host, port, *args, **kwargs)
        found.append((host, port))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    monkeypatch.setattr(socket.socket, "connect", connecting)
    monkeypatch.setattr(socket.socket, "connect_ex", connecting)
    monkeypatch.setattr(socket, "getaddrinfo", looking)
    return found


def ask(jupyter: Jupyter, path: str, headers: dict[str, str]) -> None:
    """A request, or a websocket's where the path is one's; none is ever answered by a display."""
    if "/ws/" not in path:
        jupyter.ask(path, headers)
        return
    with jupyter.websocket(path, headers) as wire:
        assert wire.answer().status != 101


@pytest.mark.timeout(1800 if LONG else 180)
def test_only_what_the_record_names_is_dialled(jupyter: Jupyter, dialled: list[Address]) -> None:
    run: Run = new_run(jupyter.manager.store)
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    cookie = jupyter.cookie()
    reached = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=not LONG,
        suppress_health_check=list(HealthCheck),
    )
    @given(JOBS, RESTS, NODES, PORTS, SAID)
    def tries(job: str, rest: str, node: str, port: int, said: dict[str, str]) -> None:
        dialled.clear()
        run.publish(node=node, port=port)
        headers = {**said, "Origin": "null" if "TICKET" in rest else jupyter.origin, "Cookie": cookie}
        ask(jupyter, f"{BASE}qconnect/{job}/{rest.replace('TICKET', ticket)}", headers)
        reached.extend(dialled)
        own = ("127.0.0.1", "::1") if is_here(node) else (node,)
        assert {port for _, port in dialled} <= {port}
        assert {host for host, _ in dialled} <= set(own)
        assert not dialled or (NAME.fullmatch(node) and 1024 <= port <= 65535)

    tries()
    assert len(reached) > EXAMPLES / 6  # the doors are open: it is the record that decides
