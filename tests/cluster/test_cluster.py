"""The cluster is what it claims: machines of their own with a shared home, reachable, breakable, gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.cluster import fixtures
from tests.cluster.cluster import Cluster, sweep
from tests.cluster.server import server_on
from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY

pytestmark = pytest.mark.cluster


def test_nodes_share_the_homes_and_nothing_else(cluster: Cluster) -> None:
    first, second = cluster.compute
    first.run("echo shared > ~/seen; echo private > /tmp/seen; sleep 60 >&- 2>&- & echo $! > ~/pid", "alice")
    assert second.run("cat ~/seen", "alice").stdout == "shared\n"
    assert second.run("cat /tmp/seen", "alice", check=False).returncode != 0
    assert second.run('kill -0 "$(cat ~/pid)"', "alice", check=False).returncode != 0
    names = [node.run("hostname").stdout.strip() for node in cluster.nodes]
    assert names == ["qc-login", "qc-node01", "qc-node02"]
    assert not Path("/home/alice/seen").exists()
    first.run('kill "$(cat ~/pid)"; rm ~/pid ~/seen /tmp/seen', "alice")


def test_xpra_is_on_the_compute_nodes_only(cluster: Cluster) -> None:
    found = [bool(node.run("command -v xpra", check=False).stdout) for node in cluster.nodes]
    assert found == [False, True, True]


def test_users_log_in_from_node_to_node_and_see_only_their_own(cluster: Cluster) -> None:
    argv = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "qc-node01", "hostname; id -un"]
    assert cluster.login.run(argv, "alice").stdout == "qc-node01\nalice\n"
    assert cluster.login.run("ls /home/alice", "bob", check=False).returncode != 0


@pytest.mark.parametrize("name", ["qc-node01", "qc-node02"])
def test_slurm_runs_a_job_on_each_node_and_follows_it_in_its_own_way(cluster: Cluster, name: str) -> None:
    detached = "(setsid sleep 1000 & exec setsid sleep 1000) &"
    script = f"#!/bin/bash\nhostname\n{detached}\nsleep 0.3\ngrep -c slurm_ /proc/self/cgroup\nexit 0\n"
    argv = ["sbatch", "--wait", "-Q", "-w", name, "-o", f"out.{name}"]
    cluster.login.run(argv, "alice", input=script, timeout=60)
    tracked = cluster.node(name).track == "cgroup"
    assert cluster.login.run(f"cat out.{name}; rm out.{name}", "alice").stdout == f"{name}\n{int(tracked)}\n"
    node = cluster.node(name)
    left = [pid for pid, command in node.processes("alice").items() if command == "sleep 1000"]
    assert bool(left) is not tracked
    for pid in left:
        node.run(["kill", str(pid)])
    eventually(lambda: not node.processes("alice"), 5, "the end of all")


def test_a_jupyter_server_of_alice_on_the_login_node_answers_here(cluster: Cluster) -> None:
    server = server_on(cluster, "answers")
    try:
        server.start()
        assert server.request("GET", "qconnect/api/apps").status == 200
        assert "jupyter" in " ".join(cluster.login.processes("alice").values())
        door = f"exec 3<>/dev/tcp/10.77.0.1/{server.port}"
        assert cluster.compute[0].run(door, check=False).returncode != 0, "only the login node's loopback has it"
    finally:
        server.close()


def test_a_node_that_is_cut_off_is_silent_until_it_is_mended(cluster: Cluster) -> None:
    node = cluster.compute[1]
    ping = ["timeout", "1", "bash", "-c", f"exec 3<>/dev/tcp/{node.address}/22"]
    assert cluster.login.run(ping).returncode == 0
    cluster.cut_off(node)
    try:
        assert cluster.login.run(ping, check=False).returncode == 124
    finally:
        cluster.mend(node)
    eventually(lambda: cluster.login.run(ping, check=False).returncode == 0, 10, "an answer of the mended node")


def test_a_node_boots_again_without_its_processes(cluster: Cluster) -> None:
    node = cluster.compute[1]
    node.run("touch /tmp/before; echo 1 > ~/kept", "alice")
    sleeper = node.popen(["sleep", "1000"], "alice")
    eventually(lambda: "sleep 1000" in node.processes("alice").values(), 5, "the process")
    cluster.power_off(node)
    assert sleeper.wait(10) != 0
    cluster.power_on(node, clean_tmp=False)
    assert node.processes("alice") == {}
    assert node.run("ls /tmp/before; cat ~/kept; rm ~/kept", "alice").stdout == "/tmp/before\n1\n"
    cluster.power_off(node)
    cluster.power_on(node)
    assert node.run("ls /tmp/before", check=False).returncode != 0
    cluster.wait_idle(node)


def test_a_second_cluster_comes_and_goes_and_leaves_nothing(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QC_DIR", raising=False)
    before = _traces()
    start = time.monotonic()
    second = Cluster()
    try:
        second.up()
        up = time.monotonic() - start
        sleeper = second.compute[1].popen(["setsid", "sleep", "1000"], "bob")
        eventually(lambda: "sleep 1000" in second.compute[1].processes("bob").values(), 5, "the process")
        assert cluster.compute[1].processes("bob") == {}
    finally:
        start = time.monotonic()
        second.down()
    print(f"up in {up:.1f} s, down in {time.monotonic() - start:.1f} s")
    assert sleeper.wait(10) != 0
    assert _traces() == before


def _traces() -> set[str]:
    """What a cluster could leave on this machine."""
    places = ["/run", "/sys/fs/cgroup/freezer", "/sys/fs/cgroup/memory", "/sys/class/net"]
    names = {str(path) for place in places for path in Path(place).glob("*")}
    mounts = {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()}
    return {name for name in names | mounts if "qc" in name or "/net/" in name}


def test_a_cluster_dies_with_its_test_runner_and_the_next_one_sweeps(cluster: Cluster) -> None:
    before = _traces()
    up = "from tests.cluster.cluster import Cluster; print(Cluster().up().folder, flush=True)"
    code = f"import time; {up}; time.sleep(99)"
    env = {name: value for name, value in os.environ.items() if name != "QC_DIR"}
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, cwd=REPOSITORY, env=env, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout
        folder = Path(runner.stdout.readline().strip())
        runner.kill()
    assert folder.is_dir()
    eventually(lambda: not _residents(folder), 10, "the end of the nodes")
    sweep()
    assert _traces() == before


def _residents(folder: Path) -> list[int]:
    """Processes of that cluster: its nodes and their daemons have its folder in their environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            found += [process.pid] if process.environ().get("NODE_BASE", "").startswith(f"{folder}/") else []
    return found


def test_in_ci_an_impossible_cluster_is_a_failure_and_elsewhere_a_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixtures, "impossible", lambda: "a reason")
    bring_up = fixtures.bring_up
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="a reason"):
        next(bring_up())
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="a reason"):
        next(bring_up())
