"""A firewall between login node and compute nodes, which most clusters have: the doctor names it, and what to open."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from qconnect_web.cli.exits import Exit
from tests.cluster.cluster import Cluster
from tests.cluster.command_line import ClusterCommandLine
from tests.cluster.conftest import settings
from tests.cluster.server import server_on

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]


@pytest.fixture
def walled(cluster: Cluster) -> Iterator[ClusterCommandLine]:
    """A command line whose displays' ports no node lets in; Slurm and ssh get through."""
    config = {"QConnect": settings("slurm", sessions_dir="/home/alice/firewall/sessions")}
    found = ClusterCommandLine(cluster, server_on(cluster, "firewall", config=config))
    one, other = cluster.compute
    with cluster.firewall(one, "20000-29999"), cluster.firewall(other, "20000-29999"):
        yield found
        found.close()


def test_a_firewall_is_named_by_the_probe_with_the_ports_to_open(walled: ClusterCommandLine) -> None:
    done = walled.run("--doctor", "--probe", "--json")
    assert done.returncode == Exit.UNHEALTHY, done.stderr
    found = {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert found["start"]["level"] == "ok"
    reach = found["reach"]
    assert reach["level"] == "problem"
    assert reach["found"].startswith("Nothing comes back from qc-node0"), reach
    assert "a firewall between this machine and the node" in reach["found"]
    assert "ports 20000 to 29999" in reach["advice"]
    assert "c.QConnect.transport" in reach["advice"]
    assert found["end"]["level"] == "ok"
