"""Two, five and twenty sessions at once on TORQUE, which answers a question about several with a document for each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster
from tests.cluster.server import ClusterServer
from tests.support.deadline import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
AT_A_TIME = 8
"""One for each core of both nodes."""
LOOK_S = 15.0
"""Longer than one question to the batch system and the next."""


@pytest.fixture
def alone(torque: Torque) -> Iterator[None]:
    torque.empty()
    yield
    torque.empty()


def states(server: ClusterServer, started: list[str]) -> Counter[str]:
    """How many of these sessions are in each state; none is missing."""
    found = {session["id"]: session["state"] for session in server.sessions()}
    assert set(started) <= set(found)
    return Counter(found[job_id] for job_id in started)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("number", [2, 5, 20])
def test_each_of_many_sessions_is_what_its_job_is(
    torque_server: ClusterServer, torque: Torque, cluster: Cluster, number: int
) -> None:
    server, running = torque_server, min(number, AT_A_TIME)
    light = {"cores": 1, "memory": "256MB"}
    started = [server.launch("command", command=["sleep", "1000"], spec=light)["id"] for _ in range(number)]
    wanted = Counter({"READY": running, "QUEUED": number - running})
    eventually(lambda: states(server, started) == +wanted, 240, f"{wanted}")
    until = time.monotonic() + LOOK_S
    eventually(lambda: states(server, started) != +wanted or time.monotonic() > until, LOOK_S + 5, "the end of a look")
    assert states(server, started) == +wanted, "while nothing happens to them, nothing is told"
    gone = next(session["id"] for session in server.sessions() if session["state"] == "READY")
    torque.run(["qdel", gone])
    server.wait_for(gone, "ENDED")
    left = [job_id for job_id in started if job_id != gone]
    assert not {"ENDED", "FAILED", "UNREACHABLE"} & set(states(server, left)), "only the one that was ended has ended"
    for job_id in left:
        server.request("POST", f"qconnect/api/sessions/{job_id}/stop")
    eventually(lambda: set(states(server, started)) <= {"ENDED", "FAILED"}, 120, "the end of all")
    assert eventually(lambda: not server.leftovers(), 30, "nothing to be left on the nodes")
