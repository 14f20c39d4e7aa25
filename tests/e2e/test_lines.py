"""Lines that go dead without a word, as when a laptop leaves its network: nothing is closed, nothing arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.desk import Desk, wait_ready
from tests.e2e.painted import painted, ready, seconds_until
from tests.support.faults import FaultProxy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def network(desk: Desk) -> Iterator[FaultProxy]:
    proxy = FaultProxy(desk.server.port)
    yield proxy
    proxy.close()


def test_a_line_that_goes_dead_is_told_and_back_by_itself(
    desk: Desk, context: BrowserContext, session: dict[str, Any], network: FaultProxy
) -> None:
    page = context.new_page()
    page.goto(desk.url(f"{session['id']}/").replace(f":{desk.server.port}/", f":{network.port}/"))
    wait_ready(page)
    network.silence()
    told = seconds_until(lambda: not ready(page), 12, "the page's notice that nothing arrives any more")
    expect(page.locator("#room-line")).to_contain_text("The server does not answer")
    assert painted(page), "the last picture is gone"
    network.resume()
    back = seconds_until(lambda: ready(page), 15, "the picture after the silence")
    print(f"line dead: told after {told:.2f} s, back {back:.2f} s after it lives")
    assert told <= 6
    assert back <= 3
    assert desk.typed(page, "after-the-silence")
