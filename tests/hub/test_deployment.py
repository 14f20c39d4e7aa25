"""Under a real JupyterHub: from the login to a program's window, and through all that a hub does to a server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.painted import events, wait_painted
from tests.e2e.test_journey import back, prove_typing
from tests.hub.hub import Hub
from tests.hub.visitor import HubVisitor
from tests.support.deadline import Deadline, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.cluster, pytest.mark.timeout(300)]


def test_a_tile_leads_to_a_window_that_takes_keys_and_comes_back_after_a_reload(alice: HubVisitor) -> None:
    page = alice.launch()
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(f"{answer.status} {answer.url}") if answer.status > 399 else None)
    wait_painted(page, timeout=60)
    prove_typing(page, alice.home, "typed-under-a-hub")
    page.reload()
    wait_painted(page)
    prove_typing(page, alice.home, "typed-after-a-reload")
    assert not [answer for answer in refused if alice.base in answer]


def test_a_named_server_has_its_own_pages_and_the_same_sessions(alice: HubVisitor, session: dict[str, Any]) -> None:
    named = replace(alice, server="second")
    page = named.launch()
    assert "/user/alice/second/qconnect/" in page.url
    wait_painted(page, timeout=60)
    prove_typing(page, named.home, "typed-on-a-named-server")
    page.close()
    ids = [item["id"] for item in alice.hub.ask("alice", "GET", "sessions", name="second")["sessions"]]
    assert session["id"] in ids
    alice.hub.stop_server("alice", "second")


def test_the_page_comes_back_within_five_seconds_after_the_proxy_has_its_routes_again(
    hub: Hub, alice: HubVisitor, page: Page
) -> None:
    count = len(events(page, "painted"))
    hub.kill_proxy()
    eventually(lambda: not back(page), 15, "the page's notice that nothing answers")
    eventually(lambda: hub.routed("alice"), 60, "the routes")
    waited = Deadline(5)
    eventually(lambda: len(events(page, "painted")) > count and back(page), 5, "the picture")
    print(f"painted {waited.elapsed():.2f} s after the routes were back")
    prove_typing(page, alice.home, "typed-after-the-proxy")


def test_a_restart_of_the_hub_is_one_of_its_proxy_and_no_more(hub: Hub, alice: HubVisitor, page: Page) -> None:
    hub.stop()
    eventually(lambda: not back(page), 15, "the page's notice that nothing answers")
    hub.start()
    eventually(lambda: hub.routed("alice"), 60, "the routes")
    waited = Deadline(5)
    eventually(lambda: back(page), 5, "the picture")
    print(f"painted {waited.elapsed():.2f} s after the hub's restart")
    prove_typing(page, alice.home, "typed-after-the-hub")


def test_a_server_that_was_stopped_is_started_from_the_page_and_shows_the_same_session(
    hub: Hub, alice: HubVisitor, page: Page, session: dict[str, Any]
) -> None:
    hub.stop_server("alice")
    start = page.get_by_role("link", name="Start the server")
    eventually(start.is_visible, 30, lambda: f"the way to start it; the page says {page.inner_text('body')}")
    start.click()
    page.wait_for_url(f"**{session['url']}", timeout=90_000)
    wait_painted(page, timeout=60)
    prove_typing(page, alice.home, "typed-after-the-server")
