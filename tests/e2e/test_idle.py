"""What keeps a server from being stopped as idle: the user at work, not a picture that moves."""

from __future__ import annotations

import os
import re
import signal

import psutil
import pytest
from playwright.sync_api import Page

from tests.e2e.desk import Desk, click_picture
from tests.e2e.painted import events
from tests.support.deadline import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
QUIET_MS = 3000


def last_activity(desk: Desk) -> str:
    return str(desk.server.request("GET", "api/status").json()["last_activity"])


def bytes_up(desk: Desk) -> float:
    text = desk.server.request("GET", "metrics").body.decode()
    found = re.search(r'^qconnect_bytes_total\{direction="up"\} (\S+)$', text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def relays(desk: Desk) -> list[psutil.Process]:
    assert desk.server.process
    children = psutil.Process(desk.server.process.pid).children()
    return [child for child in children if "qconnect_web.relay" in " ".join(child.cmdline())]


def test_a_picture_that_moves_is_no_activity_and_the_mouse_is(desk: Desk, page: Page) -> None:
    page.keyboard.type("while sleep .1; do date +%N; done\n")
    click_picture(page)
    page.wait_for_timeout(QUIET_MS)  # the last of it is told with the next heartbeat
    before, sent = last_activity(desk), bytes_up(desk)
    page.wait_for_timeout(QUIET_MS)  # nothing must happen now
    eventually(lambda: bytes_up(desk) > sent, 15, "the answers to the pictures")
    assert last_activity(desk) == before
    page.mouse.move(300, 300)
    page.mouse.move(320, 320)
    eventually(lambda: last_activity(desk) > before, 5, "the mouse counts")


def test_a_page_comes_back_by_itself_when_the_relay_is_killed(desk: Desk, page: Page) -> None:
    for _ in range(3):
        before = len(events(page, "painted"))
        (relay,) = relays(desk)
        os.kill(relay.pid, signal.SIGKILL)
        eventually(lambda before=before: len(events(page, "painted")) > before, 15, "a new picture")  # type: ignore[misc]  # mypy cannot infer it
    click_picture(page)
    assert desk.typed(page, "after-the-relay")
