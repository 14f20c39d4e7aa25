"""A hub with two users on the cluster, and browsers that are logged in there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.cluster.cluster import Cluster
from tests.cluster.conftest import LIMITS
from tests.e2e.conftest import browser_type_launch_args
from tests.e2e.painted import wait_painted
from tests.hub.hub import Hub
from tests.hub.visitor import HubVisitor

__all__ = ["browser_type_launch_args"]
UNSEEN_MINUTES = 0.05


@pytest.fixture(scope="package")
def hub(cluster: Cluster) -> Iterator[Hub]:
    """Nobody has a server yet."""
    hub = Hub(cluster, "hub", {**LIMITS, "unseen_minutes": UNSEEN_MINUTES})
    hub.install()
    try:
        yield hub.start()
    finally:
        hub.close()


@pytest.fixture(scope="package")
def session(hub: Hub) -> Iterator[dict[str, Any]]:
    """One program of alice's, which outlives whatever happens to her server."""
    hub.start_server("alice")
    found = hub.session("alice")
    yield found
    hub.start_server("alice")
    hub.ask("alice", "POST", f"sessions/{found['id']}/stop")


@pytest.fixture
def alice(hub: Hub, browser: Browser) -> Iterator[HubVisitor]:
    """Her browser, logged in at the hub."""
    with browser.new_context() as context:
        yield HubVisitor(hub, "alice", context).log_in()


@pytest.fixture
def bob(hub: Hub, browser: Browser) -> Iterator[HubVisitor]:
    """Another user's browser, logged in at the hub."""
    with browser.new_context() as context:
        yield HubVisitor(hub, "bob", context).log_in()


@pytest.fixture
def page(hub: Hub, alice: HubVisitor, session: dict[str, Any]) -> Page:
    """The program's page in alice's browser, painted."""
    hub.start_server("alice")
    page = alice.view(session)
    wait_painted(page, timeout=60)
    return page
