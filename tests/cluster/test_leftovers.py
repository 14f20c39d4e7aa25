"""However a session ends, nothing of it is left on its node five seconds later, whatever its program tried."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import EVIL
from tests.cluster.display import end_of, opened_on
from tests.cluster.leftovers import evict, left_on
from tests.cluster.node import Node
from tests.cluster.server import ClusterServer
from tests.support.deadline import Deadline, eventually
from tests.support.extent import LONG

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
COMMAND = ["bash", "-c", EVIL]
WITHIN_S = 5
ALWAYS = {
    "test_after_stop": ("slurm-cgroup",),
    "test_after_the_schedulers_own_cancel": ("torque",),
    "test_after_xpra_was_killed": ("torque", "slurm-linuxproc"),
    "test_after_the_walltime": ("torque",),
}
"""The pairs of every run; QCONNECT_LONG_TESTS=1 runs them all."""


@pytest.fixture(params=["torque", "slurm-linuxproc", "slurm-cgroup"])
def place(request: pytest.FixtureRequest, cluster: Cluster) -> tuple[ClusterServer, Node]:
    """A server and the node to use: where processes are followed by parentage, and where by cgroup."""
    if request.param not in ALWAYS[request.function.__name__] and not LONG:
        pytest.skip("one of the pairs that QCONNECT_LONG_TESTS=1 runs")
    scheduler, _, track = str(request.param).partition("-")
    node = next(node for node in cluster.compute if node.track == (track or "linuxproc"))
    return request.getfixturevalue(f"{scheduler}_server"), node


def session_on(server: ClusterServer, node: Node, **body: Any) -> str:
    """A session with the program that clings to the node."""
    evict("alice", node)
    job_id = str(opened_on(server, node, "command", command=COMMAND, **body)["id"])
    eventually(lambda: "/bin/sleep 7002" in node.processes("alice").values(), 10, "the program's processes")
    return job_id


def is_left_clean(node: Node) -> None:
    """Nothing is there within five seconds from now."""
    start = Deadline(WITHIN_S)
    left: list[list[str]] = []
    eventually(
        lambda: left.append(left_on(node, "alice")) or left[-1] == [],
        WITHIN_S,
        lambda: f"nothing left on {node.name}, but {left[-1]},",
    )
    print(f"{node.name} ({node.track}): nothing left after {start.elapsed():.1f} s")


def test_after_stop(place: tuple[ClusterServer, Node]) -> None:
    server, node = place
    job_id = session_on(server, node)
    server.end(job_id)
    is_left_clean(node)


def test_after_the_schedulers_own_cancel(place: tuple[ClusterServer, Node], torque: Torque) -> None:
    server, node = place
    job_id = session_on(server, node)
    torque.run(["qdel" if "torque" in server.home.name else "scancel", job_id])
    is_left_clean(node)
    assert end_of(server, server.wait_for(job_id, "ENDED"))["reason"] == "cancelled"


def test_after_xpra_was_killed(place: tuple[ClusterServer, Node]) -> None:
    server, node = place
    job_id = session_on(server, node)
    node.signal("xpra", signal.SIGKILL)
    is_left_clean(node)
    ended = server.wait_for(job_id, "FAILED")
    assert end_of(server, ended)["reason"] == "xpra-died"
    assert "Start the session again" in ended["reason"]
    assert "xpra" in str(server.request("GET", f"qconnect/api/sessions/{job_id}/log").json())


def test_after_the_walltime(place: tuple[ClusterServer, Node]) -> None:
    server, node = place
    job_id = session_on(server, node, spec={"walltime": "00:01:00"})
    ended = server.wait_for(job_id, "ENDED", "FAILED", timeout=180)  # Slurm looks every half minute
    is_left_clean(node)
    print(ended["reason"])
    assert ended["state"] == "ENDED"
    assert "walltime of the job (60 s) was used up" in ended["reason"]
    assert end_of(server, ended)["reason"] == "walltime"


def test_after_the_node_booted_again(torque_server: ClusterServer, cluster: Cluster) -> None:
    node = cluster.compute[0]
    job_id = session_on(torque_server, node)
    cluster.power_off(node)
    cluster.power_on(node)
    is_left_clean(node)
    torque_server.request("POST", f"qconnect/api/sessions/{job_id}/stop")
    torque_server.wait_for(job_id, "ENDED", "FAILED")
    cluster.wait_idle(node)


def test_what_a_node_kept_over_a_reboot_goes_with_the_users_next_session(
    torque_server: ClusterServer, cluster: Cluster
) -> None:
    node = cluster.compute[0]
    job_id = session_on(torque_server, node)
    cluster.power_off(node)
    cluster.power_on(node, clean_tmp=False)
    print(f"a disk that is not cleaned at boot keeps {left_on(node, 'alice')}")
    torque_server.request("POST", f"qconnect/api/sessions/{job_id}/stop")
    torque_server.wait_for(job_id, "ENDED", "FAILED")
    cluster.wait_idle(node)
    torque_server.end(opened_on(torque_server, node)["id"])
    is_left_clean(node)
