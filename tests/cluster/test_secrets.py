"""No secret of a session is found where others may look on a cluster: `qstat -f`, spooled scripts, arguments, logs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import Popen
from typing import IO

import pytest

from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import settings
from tests.cluster.files import USERS
from tests.cluster.node import Node
from tests.cluster.server import ClusterServer
from tests.security.canaries import Around, Talkative, hits, texts_below, told
from tests.support.extent import LONG

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]


@dataclass
class TalkativeThere(Talkative, ClusterServer):
    """The talkative server on the login node."""

    def environment(self) -> dict[str, str]:
        return ClusterServer.environment(self)

    def spawn(self, argv: list[str], log: IO[bytes]) -> Popen[bytes]:
        """Its secrets come from a file: `env`, which starts it there, would have them in its own arguments."""
        path = self.home / "secrets"
        path.touch(mode=0o600)
        path.write_text("".join(f"export {name}={value}\n" for name, value in self.canaries.items()))
        os.chown(path, USERS[self.user], USERS[self.user])
        return super().spawn(["sh", "-c", '. "$0" && exec "$@"', str(self.there / path.name), *argv], log)


@contextmanager
def everybody_sees_all_jobs(torque: Torque) -> Iterator[None]:
    """As many sites have it, and OpenPBS by default."""
    torque.qmgr("set server query_other_jobs = True")
    try:
        yield
    finally:
        torque.qmgr("set server query_other_jobs = False")


def shown_by_torque(torque: Torque, job_id: str) -> str:
    """What TORQUE tells another user of a job, and all files that its server and moms keep."""
    told = "".join(torque.run(["qstat", option, job_id], "bob").stdout for option in ("-f", "-x"))
    assert "Variable_List" in told
    return told + texts_below(torque.spool)


def shown_by_slurm(cluster: Cluster, job_id: str) -> str:
    """What Slurm tells another user of a job, and all files that its daemons keep or log."""
    questions = ["scontrol", "show", "job", "-dd", job_id], ["squeue", "-t", "all", "-j", job_id, "-o", "%all"]
    told = "".join(cluster.login.run(argv, "bob").stdout for argv in questions)
    assert "Comment=QCONNECT_SESSION=" in told
    files = "find /var/lib/slurm /var/log/slurm -type f -exec cat {} + | tr -cd '\\11\\12\\40-\\176'"
    return told + "".join(node.run(files).stdout for node in cluster.nodes)


def places_of(server: TalkativeThere, node: Node, batch: Callable[[str], str]) -> list[tuple[str, str]]:
    """Which secret of a session on this node is found where."""
    around = Around(server.home / "sessions", lambda path: node.tmp / path.relative_to("/tmp"), batch)
    with server.cluster.closed(server.cluster.other(node)):
        known, places = told(server.start(120), around)
    assert "QCONNECT_SESSION=" in places["batch system"]
    assert len(places["batch system"].partition("#!/bin/bash")[2]) > 1000, "the script is in the spool"
    return hits(known, places)


@pytest.fixture
def server(cluster: Cluster) -> Iterator[TalkativeThere]:
    home = cluster.home("alice") / "talkative"
    home.mkdir()
    server = TalkativeThere(home, cluster=cluster, path=(Torque.bin,), arguments=("--debug",))
    folders = {"sessions_dir": str(server.there / "sessions"), "client_dirs": [str(server.another_client())]}
    server.config["QConnect"] = settings("torque", **folders)
    try:
        yield server
    finally:
        server.close()
        shutil.rmtree(home)


def test_no_secret_is_found_where_torque_is(server: TalkativeThere, cluster: Cluster, torque: Torque) -> None:
    with everybody_sees_all_jobs(torque), torque.keeping(60):
        assert places_of(server, cluster.compute[0], lambda job_id: shown_by_torque(torque, job_id)) == []


@pytest.mark.skipif(not LONG, reason="QCONNECT_LONG_TESTS=1 runs it")
def test_no_secret_is_found_where_slurm_is(server: TalkativeThere, cluster: Cluster) -> None:
    server.config["QConnect"]["scheduler"] = "slurm"
    assert places_of(server, cluster.compute[1], lambda job_id: shown_by_slurm(cluster, job_id)) == []
