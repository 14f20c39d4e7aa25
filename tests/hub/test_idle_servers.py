"""What the hub takes for work: a page that nobody looks at is none, so that the real culler stops its server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.painted import events, ready, wait_painted
from tests.e2e.test_journey import back, prove_typing
from tests.e2e.test_viewer import HIDE
from tests.hub.hub import Hub
from tests.hub.visitor import HubVisitor
from tests.support.deadline import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.cluster, pytest.mark.timeout(400)]
POLL_MS = 6000
IDLE_S = 20


def hide(page: Page) -> None:
    """Puts the tab behind others, until the page is quiet."""
    page.evaluate(HIDE, True)
    eventually(lambda: events(page, "resting"), 30, "the page's notice that nobody looks")


def look(page: Page) -> None:
    page.bring_to_front()
    page.evaluate(HIDE, False)


def test_a_tab_that_is_looked_at_is_activity_at_the_hubs_proxy_and_tabs_that_are_not_are_none(
    hub: Hub, alice: HubVisitor, page: Page
) -> None:
    overview = alice.context.new_page()
    overview.goto(f"{hub.origin}{alice.base}qconnect/")
    overview.get_by_role("heading", name="Programs on the cluster").wait_for()
    before = hub.last_activity("alice")
    eventually(lambda: hub.last_activity("alice") > before, 10, "activity by the page's heartbeat")
    overview.evaluate(HIDE, True)
    hide(page)
    page.wait_for_timeout(2 * POLL_MS)  # what was under way is over, and the list is looked at once more
    before = hub.last_activity("alice")
    page.wait_for_timeout(8000)  # nothing must happen now
    assert hub.last_activity("alice") == before
    look(page)
    eventually(lambda: back(page), 10, "the picture")
    assert hub.last_activity("alice") > before


def test_the_server_of_a_forgotten_tab_is_culled_and_that_of_one_who_works_is_not(
    hub: Hub, alice: HubVisitor, page: Page, session: dict[str, Any]
) -> None:
    hub.start_server("alice", "second")
    worked_in = replace(alice, server="second").view({"url": session["url"].replace("/alice/", "/alice/second/")})
    wait_painted(worked_in, timeout=60)
    hide(page)
    with hub.culling(IDLE_S):
        moves = iter(range(100, 400))

        def culled() -> bool:
            worked_in.mouse.move(300, next(moves))
            worked_in.wait_for_timeout(1000)
            return "" not in hub.servers("alice")

        eventually(culled, 120, "the end of the forgotten tab's server")
        worked_in.wait_for_timeout(6000)  # time for more, were there more to cull
        assert list(hub.servers("alice")) == ["second"]
    assert ready(worked_in)
    prove_typing(worked_in, alice.home, "typed-while-another-was-culled")
    hub.start_server("alice")
    look(page)
    log_in = page.get_by_role("button", name="Log in")
    eventually(lambda: back(page) or log_in.is_visible(), 30, "a way back")
    if not back(page):
        log_in.click()
    wait_painted(page)
    prove_typing(page, alice.home, "typed-after-the-cull")
    hub.stop_server("alice", "second")
