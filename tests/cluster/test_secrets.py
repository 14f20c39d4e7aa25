"""No secret of a session is found where others may look on a cluster: `qstat -f`, spooled scripts, arguments, logs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import Popen
from typing import IO

import pytest

from tests.cluster.batch import Torque
from tests.cluster.conftest import settings
from tests.cluster.files import USERS
from tests.cluster.node import Node
from tests.cluster.server import ClusterServer
from tests.cluster.world import Cluster
from tests.security.canaries import Around, Talkative, hits, texts_below, told

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


def shown(torque: Torque, job_id: str) -> str:
    """What TORQUE tells another user of a job, and all files that its server and moms keep."""
    told = "".join(torque.run(["qstat", option, job_id], "bob").stdout for option in ("-f", "-x"))
    assert "Variable_List" in told
    return told + texts_below(torque.spool)


def test_no_secret_is_found_on_a_cluster(cluster: Cluster, torque: Torque) -> None:
    node: Node = cluster.compute[0]
    home = cluster.home("alice") / "talkative"
    home.mkdir()
    server = TalkativeThere(home, cluster=cluster, path=(torque.bin,), arguments=("--debug",))
    folders = {"sessions_dir": str(server.there / "sessions"), "client_dirs": [str(server.another_client())]}
    server.config["QConnect"] = settings("torque", **folders)
    around = Around(
        home / "sessions",
        on_node=lambda path: node.tmp / path.relative_to("/tmp"),
        batch=lambda job_id: shown(torque, job_id),
    )
    try:
        with cluster.closed(cluster.other(node)), everybody_sees_all_jobs(torque), torque.keeping(60):
            known, places = told(server.start(120), around)
    finally:
        server.close()
    assert "QCONNECT_SESSION=" in places["batch system"]
    assert "qconnect" in (script := places["batch system"].partition("#!/bin/bash")[2]), "the script is in the spool"
    assert len(script) > 1000
    assert hits(known, places) == []
