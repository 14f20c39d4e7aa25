"""A node that is reached by IPv6 alone, under a name that is none of DNS, on the cluster's network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.display import connection, opened
from tests.cluster.node import Node
from tests.cluster.server import ClusterServer

pytestmark = pytest.mark.cluster
NAME = "QC_Node.01"
THERE = "fd77::11"


@pytest.fixture(params=["0", "1"], ids=["one-socket", "two-sockets"])
def node(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Node]:
    """The first node, which calls itself so for a while; `bindv6only` as some sites have it."""
    node = cluster.compute[0]
    try:
        cluster.login.run(f"ip -6 addr add fd77::1/64 dev br0 nodad; echo '{THERE} {NAME.lower()}' >>/etc/hosts")
        node.run(f"ip -6 addr add {THERE}/64 dev eth0 nodad; echo {NAME} >/proc/sys/kernel/hostname")
        node.run(f"echo {request.param} >/proc/sys/net/ipv6/bindv6only")
        yield node
    finally:
        node.run("echo 0 >/proc/sys/net/ipv6/bindv6only")
        node.run(f"ip -6 addr del {THERE}/64 dev eth0; hostname {node.name}")
        cluster.login.run(f"ip -6 addr del fd77::1/64 dev br0; sed '/^{THERE}/d' /etc/hosts >/tmp/hosts")
        cluster.login.run("cat /tmp/hosts >/etc/hosts; rm /tmp/hosts")


def test_a_node_of_ipv6_alone_is_reached(slurm_server: ClusterServer, node: Node) -> None:
    with slurm_server.cluster.closed(slurm_server.cluster.other(node)):
        session = opened(slurm_server)
    try:
        found = connection(slurm_server, session)
        assert found["node"] == NAME
        listening = node.run(["ss", "-Hltn", f"sport = :{found['port']}"]).stdout.split()
        assert f"[::]:{found['port']}" in listening or f"*:{found['port']}" in listening
    finally:
        slurm_server.end(session["id"])
