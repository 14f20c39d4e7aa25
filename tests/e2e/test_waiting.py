"""The waiting room: what it waits for, leaving and coming back, and a client that is loaded before its time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.desk import Desk, click_picture, wait_ready
from tests.e2e.painted import events
from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY, JupyterServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
PAINT_MS = 16000
ARTEFACTS = REPOSITORY / "tests/artefacts"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A machine that runs one job at a time."""
    server = JupyterServer(tmp_path_factory.mktemp("home"), config={"QConnect": {"local_max_running": 1}}).start()
    yield Desk(server)
    server.close()


def time_of_state(page: Page, state: str) -> float:
    """When (ms of the page's clock) the page heard of a state."""
    found = page.evaluate("s => window.qconnect.log.find(e => e[1] === 'state' && e[2] === s)?.[0]", state)
    assert found is not None, f"the page heard nothing of {state}"
    return float(found)


def wait_in_line(page: Page, desk: Desk, job_id: str) -> None:
    """Opens the page of a session that waits, and sees the client loaded and held."""
    page.goto(desk.url(f"{job_id}/"))
    expect(page.locator("#room-title")).to_have_text("Alpine survey")
    expect(page.locator("#room-line")).to_contain_text("this one waits for its turn", timeout=10000)
    expect(page.locator("#room-note")).to_contain_text("You can close this tab")
    expect(page.locator("#room-elapsed")).to_be_visible()
    eventually(lambda: events(page, "agent-loaded"), 20, "the client, loaded while the job waits")
    assert not events(page, "agent-opened")


def test_who_waits_may_leave_and_come_back_and_the_client_waits_too(desk: Desk, context: BrowserContext) -> None:
    first = desk.session()
    waiting = desk.server.launch(spec={"name": "Alpine survey"})
    assert waiting["state"] == "QUEUED"
    page = context.new_page()
    wait_in_line(page, desk, waiting["id"])
    page.close()
    page = context.new_page()
    wait_in_line(page, desk, waiting["id"])
    desk.server.end(first["id"])
    wait_ready(page)
    assert len(events(page, "frame")) == 1, "the client that was held is not the one that painted"
    assert events(page, "agent-loaded")[0] < time_of_state(page, "STARTING") <= time_of_state(page, "READY")
    print(f"READY → painted: {events(page, 'painted')[0] - time_of_state(page, 'READY'):.0f} ms")
    expect(page.locator("#bar-title")).to_have_text("Alpine survey – xterm")
    assert desk.typed(page, "came-back")
    desk.server.end(waiting["id"])


WORK = "echo working; until [ -e {go} ]; do sleep 0.2; done; xterm; exec sleep 1000"


def test_a_program_without_a_window_says_so_and_offers_its_log(
    desk: Desk, context: BrowserContext, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    session = desk.session("command", command=["bash", "-c", WORK.format(go=go)])
    page = context.new_page()
    page.goto(desk.url(f"{session['id']}/"))
    line = page.locator("#room-line")
    expect(line).to_contain_text("The program runs, but shows no window.", timeout=30000)
    expect(page.locator(".spinner")).to_be_hidden()
    page.locator("#log-box summary").click()
    expect(page.locator("#log-text")).to_contain_text("working")
    page.wait_for_timeout(PAINT_MS)  # after this long, a display that should show something is opened anew
    assert len(events(page, "frame")) == 1
    page.screenshot(path=ARTEFACTS / "windowless.png")
    go.touch()
    wait_ready(page)
    click_picture(page)
    page.keyboard.type("exit\n", delay=20)
    expect(line).to_contain_text("The program runs, but shows no window.", timeout=30000)
    expect(page.locator("#room")).to_be_visible()
    desk.server.end(session["id"])
