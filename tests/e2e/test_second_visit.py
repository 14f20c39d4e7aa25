"""What a browser that was here before still loads: the pages' HTML and their data, and no script or style again."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Frame, Page, expect

from tests.e2e.desk import Desk
from tests.support.deadline import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
LOADED = """() => ['navigation', 'resource'].flatMap(type => performance.getEntriesByType(type))
  .filter(entry => entry.transferSize > 0).map(entry => [entry.name.split(/[?#]/)[0], entry.transferSize])"""


def loaded(page: Page | Frame) -> dict[str, int]:
    """What came over the network for a page or frame, and its bytes with headers."""
    return dict(page.evaluate(LOADED))


def scripts(addresses: dict[str, int]) -> set[str]:
    return {address for address in addresses if "/qconnect/static/" in address}


def test_the_home_page_loads_no_script_again(desk: Desk, context: BrowserContext) -> None:
    def visit() -> dict[str, int]:
        page = context.new_page()
        page.goto(desk.url(""))
        expect(page.locator('[data-app="xterm"]')).to_be_visible()
        eventually(lambda: any("/qconnect/api/" in name for name in loaded(page)), 10, "data")
        return loaded(page)

    assert {address.rpartition("/")[2] for address in scripts(visit())} >= {"home.js", "home.css"}
    assert scripts(visit()) == set()


def test_a_viewer_page_costs_20_kb_the_second_time(
    desk: Desk, context: BrowserContext, session: dict[str, Any]
) -> None:
    def visit() -> dict[str, int]:
        page = desk.view(context, session)
        both = {**loaded(page), **loaded(page.frames[1])}  # the client's frame
        page.close()
        return both

    first, second = visit(), visit()
    assert {address.rpartition("/")[2] for address in scripts(first)} >= {"viewer.js", "viewer.css"}
    assert scripts(second) == set()
    assert sum(second.values()) <= 20_000, second
    assert sum(first.values()) > 5 * sum(second.values())
