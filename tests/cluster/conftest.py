"""Alice's servers and command lines on the cluster, one for each batch system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster
from tests.cluster.command_line import ClusterCommandLine
from tests.cluster.server import ClusterServer, server_on

EVIL = (
    "setsid sleep 7001 & (setsid env -i /bin/sleep 7002 &) ; (trap '' TERM HUP; exec sleep 7003) & "
    "env -i /usr/bin/setsid /bin/bash -c 'trap \"\" TERM; while :; do /bin/sleep 1; done' & exec xterm"
)
"""A program that does all it can to leave something behind."""


LIMITS = {"max_sessions": 0, "max_starts_per_minute": 0, "max_questions_per_minute": 120}
"""What tests need: no limits, and a batch system that may be asked often."""


def settings(scheduler: str, **more: Any) -> dict[str, Any]:
    """The site's settings for a test."""
    return {"scheduler": scheduler, "transport": "tls", **LIMITS, **more}


@pytest.fixture(scope="session")
def torque_server(cluster: Cluster, torque: Torque) -> Iterator[ClusterServer]:
    server = server_on(cluster, "faults-torque", config={"QConnect": settings("torque")}, path=(torque.bin,))
    try:
        with torque.keeping(30):
            yield server.start(120)
    finally:
        server.close()


@pytest.fixture(scope="session")
def slurm_server(cluster: Cluster) -> Iterator[ClusterServer]:
    server = server_on(cluster, "faults-slurm", config={"QConnect": settings("slurm")})
    try:
        yield server.start(120)
    finally:
        server.close()


@pytest.fixture(scope="module", params=["slurm", "torque"])
def cli(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[ClusterCommandLine]:
    """On each batch system, for all tests of a module: which one it is, qconnect finds out by itself."""
    if request.param == "torque":
        request.getfixturevalue("torque")
    module = request.module.__name__.rpartition(".")[2].removeprefix("test_")
    name = f"{module}-{request.param}"
    config = {"QConnect": settings("auto", sessions_dir=f"/home/alice/{name}/sessions")}
    path = (Torque.bin,) if request.param == "torque" else ()
    found = ClusterCommandLine(cluster, server_on(cluster, name, config=config, path=path))
    yield found
    found.close()
