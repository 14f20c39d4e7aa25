"""A token that a page was opened with leaves the address bar at once, and is not in the history."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.e2e.desk import Desk
from tests.support.deadline import eventually

pytestmark = pytest.mark.e2e


def test_no_page_of_ours_keeps_the_token_in_its_address(
    desk: Desk, context: BrowserContext, session: dict[str, Any]
) -> None:
    for path, status in (("", 200), (f"{session['id']}/", 200), ("999.nowhere/", 404), ("no/such/page", 404)):
        page = context.new_page()
        asked = f"{desk.server.url}qconnect/{path}?token={desk.server.token}"
        answer = page.goto(asked)
        assert answer
        assert answer.status == status
        eventually(lambda page=page: page.evaluate("location.search") == "", 5, f"an address without token: {path}")
        assert page.url == f"{desk.server.url}qconnect/{path}"
        assert desk.server.token not in page.content()
        page.reload()
        assert page.url == f"{desk.server.url}qconnect/{path}"
        assert page.evaluate("history.length") <= 2
        page.close()
