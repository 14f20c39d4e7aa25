"""A server killed at any point of a start leaves neither an orphan (a job nobody lists) nor a ghost (the reverse)."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidMessage
from websockets.sync.client import connect

from tests.batch.system import BatchSystem, server_of
from tests.support.crashing_server import BATCH_POINTS, POINTS
from tests.support.deadline import eventually
from tests.support.extent import LONG
from tests.support.servers import REPOSITORY, JupyterServer

WRAPPER = REPOSITORY / "tests/support/crashing_server.py"
TIMES = 5 if LONG else 1
BATCH = [*BATCH_POINTS] * TIMES if LONG else ["command-begun", "question-noted"]
SUBMITTED = (
    "command-begun",
    "command-ended",
    "submitted",
    "recorded",
    "accepted",
    "connecting",
    "question-due",
    "question-noted",
)
"""Points where qsub has the script already."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def server(home: Path) -> Iterator[JupyterServer]:
    server = JupyterServer(home)
    yield server
    server.close()


def crash(server: JupyterServer, point: str, system: str = "local") -> None:
    """Starts a session on a server that dies at `point`."""
    (server.home / "crash-at").write_text(f"{system} {point}")
    server.wrapper = WRAPPER
    server.start()
    try:
        job_id = server.launch()["id"]
        address = f"ws{server.url.removeprefix('http')}qconnect/{job_id}/ws/crashtest1"
        headers = {"Authorization": f"token {server.token}"}
        with connect(address, origin=server.origin, subprotocols=["binary"], additional_headers=headers):
            eventually(lambda: not server.sessions(), 30, "the server's end, by a question to the batch system")
    except (OSError, http.client.HTTPException, InvalidMessage):
        pass
    assert server.process
    server.process.wait(30)
    server.wrapper = None


def jobs_alive(server: JupyterServer) -> bool:
    return any("local/runner.py" in command for command in server.leftovers().values())


@pytest.mark.parametrize("point", [*POINTS] * TIMES)
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


@pytest.mark.parametrize("point", BATCH)
def test_nor_does_one_whose_jobs_are_a_batch_systems(tmp_path: Path, point: str) -> None:
    system = BatchSystem(tmp_path / "batch", "torque")
    server = server_of(tmp_path, system)
    try:
        crash(server, point, "torque")
        server.start()
        if point in SUBMITTED:
            (session,) = eventually(server.sessions, 30, "the adopted session")
            server.wait_for(session["id"], "READY")
            assert [f"{number}.head" for number in system.living()] == [session["id"]]
            server.end(session["id"])
        else:
            assert server.sessions() == []
        eventually(lambda: not system.living(), 10, "the end of all jobs")
        eventually(lambda: not server.leftovers(), 10, "the end of all processes")
    finally:
        server.close()
