"""A server killed at any point of a start leaves neither an orphan (a job nobody lists) nor a ghost (the reverse)."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidMessage
from websockets.sync.client import connect

from tests.crashing_server import POINTS
from tests.deadline import eventually
from tests.servers import JupyterServer

WRAPPER = Path(__file__).with_name("crashing_server.py")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def server(home: Path) -> Iterator[JupyterServer]:
    server = JupyterServer(home)
    yield server
    server.close()


def crash(server: JupyterServer, point: str) -> None:
    """Starts a session on a server that dies at `point`."""
    (server.home / "crash-at").write_text(point)
    server.wrapper = WRAPPER
    server.start()
    try:
        job_id = server.launch()["id"]
        address = f"ws{server.url.removeprefix('http')}qconnect/{job_id}/ws/crashtest1"
        headers = {"Authorization": f"token {server.token}"}
        connect(address, origin=server.origin, subprotocols=["binary"], additional_headers=headers).close()
    except (OSError, http.client.HTTPException, InvalidMessage):
        pass
    assert server.process
    server.process.wait(30)
    server.wrapper = None


def jobs_alive(server: JupyterServer) -> bool:
    return any("local_runner" in command for command in server.leftovers().values())


@pytest.mark.parametrize("point", POINTS)
def test_a_server_killed_at_any_point_leaves_no_orphan_and_no_ghost(server: JupyterServer, point: str) -> None:
    crash(server, point)
    server.start()
    before = time.monotonic()
    server.sessions()
    assert time.monotonic() - before <= 2
    if point in ("submitted", "recorded", "connecting"):
        (session,) = eventually(server.sessions, 10, "the adopted session")
        server.wait_for(session["id"], "READY")
        server.end(session["id"])
    else:
        assert server.sessions() == []
    eventually(lambda: not jobs_alive(server), 10, "the end of all jobs")
    eventually(lambda: not server.leftovers(), 10, "the end of all processes")
