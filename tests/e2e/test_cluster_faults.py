"""A compute node that vanishes, or gives a job up, as a browser sees it; sessions elsewhere do not notice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import settings
from tests.cluster.display import connection, opened_on
from tests.cluster.server import ClusterServer, server_on
from tests.e2e.desk import wait_ready
from tests.e2e.painted import ready, seconds_until, wait_painted
from tests.e2e.test_journey import back, prove_typing
from tests.support.deadline import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.fixture
def server(cluster: Cluster, torque: Torque) -> Iterator[ClusterServer]:
    found = server_on(cluster, "browser-torque", config={"QConnect": settings("torque")}, path=(torque.bin,))
    try:
        yield found.start(120)
    finally:
        found.close()


def page_of(context: BrowserContext, server: ClusterServer, session: dict[str, Any]) -> Page:
    page = context.new_page()
    page.goto(f"{server.url}qconnect/{session['id']}/?token={server.token}")
    wait_ready(page)
    wait_painted(page)
    return page


def test_a_node_that_is_cut_off_is_told_and_others_go_on(
    context: BrowserContext, server: ClusterServer, cluster: Cluster
) -> None:
    first, second = cluster.compute
    lost, other = opened_on(server, first), opened_on(server, second)
    watching = page_of(context, server, lost)
    working = page_of(context, server, other)
    home = cluster.home("alice")
    cluster.cut_off(first)
    try:
        told = seconds_until(lambda: not ready(watching), 20, "the page's notice that the node is gone")
        assert ready(working)
        prove_typing(working, home, "typed-while-the-other-is-cut")
        assert server.request("GET", "qconnect/api/sessions").status == 200
    finally:
        cluster.mend(first)
    again = seconds_until(lambda: back(watching), 60, "the picture after the cut")
    print(f"cut off: told after {told:.1f} s, back {again:.1f} s after the cable was in again")
    assert told <= 10
    prove_typing(watching, home, "typed-after-the-cut")
    for session in (lost, other):
        server.end(session["id"])


def test_a_job_that_runs_again_elsewhere_comes_back_by_itself(
    context: BrowserContext, server: ClusterServer, cluster: Cluster, torque: Torque
) -> None:
    session = opened_on(server, cluster.compute[0])
    page = page_of(context, server, session)
    before = connection(server, session)
    with cluster.closed(cluster.compute[0]):
        torque.run(["qrerun", session["id"]], "root")
        eventually(lambda: "job_state = R" in torque.run(["qstat", "-f", session["id"]]).stdout, 60, "R")
        taken = seconds_until(lambda: connection(server, session) != before and back(page), 90, "the picture again")
    print(f"run again on the other node: painted {taken:.1f} s after R")
    assert taken <= 15
    prove_typing(page, cluster.home("alice"), "typed-after-the-requeue")
    server.end(session["id"])
