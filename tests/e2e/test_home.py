"""The home page, and how pages look and read for everybody: axe, narrow windows, dark rooms."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.desk import Desk, wait_ready
from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
ARTEFACTS = REPOSITORY / "tests/artefacts"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
def home(desk: Desk, context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto(desk.url(""))
    expect(page.locator("[data-app]").first).to_be_visible()
    return page


def tile(page: Page, name: str) -> Any:
    return page.locator(f'[data-app="{name}"]')


def live(desk: Desk) -> list[dict[str, Any]]:
    return [item for item in desk.server.sessions() if item["state"] not in ("ENDED", "FAILED")]


def test_a_double_click_on_a_tile_starts_one_program_in_one_tab(
    desk: Desk, context: BrowserContext, home: Page
) -> None:
    before = {item["id"] for item in desk.server.sessions()}
    tabs = len(context.pages)
    with context.expect_page() as opened:
        tile(home, "xterm").dblclick()
    viewer = opened.value
    viewer.wait_for_url("**/qconnect/*/", timeout=20000)
    wait_ready(viewer)
    new = {item["id"] for item in desk.server.sessions()} - before
    assert len(new) == 1
    assert len(context.pages) == tabs + 1
    row = home.locator(f'[data-job="{next(iter(new))}"]')
    expect(row).to_contain_text("Running", timeout=10000)
    desk.server.end(next(iter(new)))


def test_the_keyboard_alone_starts_opens_and_ends_a_program(desk: Desk, context: BrowserContext, home: Page) -> None:
    tile(home, "xterm").focus()
    with context.expect_page() as opened:
        home.keyboard.press("Enter")
    opened.value.wait_for_url("**/qconnect/*/", timeout=20000)
    opened.value.close()
    (session,) = live(desk)
    row = home.locator(f'[data-job="{session["id"]}"]')
    expect(row.get_by_role("link", name="XTerm")).to_have_attribute("href", session["url"], timeout=10000)
    row.get_by_role("button", name="End").focus()
    home.keyboard.press("Enter")
    expect(home.get_by_role("button", name="Keep it running")).to_be_focused()
    home.keyboard.press("Tab")
    home.keyboard.press("Enter")
    desk.server.wait_for(session["id"], "ENDED")
    expect(home.get_by_text("Ended (")).to_be_visible(timeout=10000)
    home.get_by_text("Ended (").click()
    expect(row).to_contain_text("Ended", timeout=10000)
    row.get_by_role("button", name="Log").click()
    expect(home.get_by_role("dialog").locator("pre")).not_to_have_text("Loading…", timeout=10000)
    home.get_by_role("button", name="Close").click()
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0, timeout=10000)


def test_any_command_is_split_into_words_and_run(desk: Desk, context: BrowserContext, home: Page) -> None:
    tile(home, "command").click()
    field = home.get_by_label("Command, as you would type it in a terminal")
    field.fill("xterm -e 'left open")
    home.keyboard.press("Enter")
    expect(home.get_by_role("dialog").get_by_role("alert")).to_contain_text("left open. Close it.")
    field.fill("xterm -e bash -c 'touch ~/\"two words\"; sleep 600'")
    with context.expect_page():
        home.keyboard.press("Enter")
    eventually((desk.server.home / "two words").exists, 20, "the file that the command makes")
    (session,) = live(desk)
    desk.server.end(session["id"])


def test_a_refused_start_says_why_and_leaves_no_empty_tab(desk: Desk, context: BrowserContext, home: Page) -> None:
    home.route(
        "**/qconnect/api/sessions",
        lambda route: (
            route.fulfill(
                status=429, json={"message": "You have 20 sessions, as many as this site allows.", "reason": "too-many"}
            )
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    tabs = len(context.pages)
    tile(home, "xterm").click()
    expect(home.get_by_role("alert").first).to_contain_text("as many as this site allows")
    # Playwright hears of closed tabs only while one of its own calls runs.
    eventually(lambda: home.evaluate("true") and len(context.pages) == tabs, 5, "no tab that stays empty")


def test_a_server_that_is_away_is_told_and_forgotten_when_it_is_back(desk: Desk, context: BrowserContext) -> None:
    """Its events are away as well, so that the page looks by itself."""
    home = context.new_page()
    home.route_web_socket("**/api/events/subscribe", lambda socket: socket.close())
    home.goto(desk.url(""))
    problem = home.get_by_role("alert")
    expect(problem).to_be_hidden()
    expect(home.locator("[data-app]").first).to_be_visible()
    home.route("**/qconnect/api/sessions", lambda route: route.abort())
    expect(problem).to_contain_text("does not answer", timeout=15000)
    home.unroute("**/qconnect/api/sessions")
    expect(problem).to_be_hidden(timeout=30000)


def test_a_change_is_shown_when_the_server_tells_of_it(desk: Desk, context: BrowserContext) -> None:
    """Long before the page would look by itself."""
    home = context.new_page()
    with home.expect_websocket(lambda socket: "/api/events/subscribe" in socket.url):
        home.goto(desk.url(""))
    expect(home.get_by_text("None is running.")).to_be_visible()
    found = desk.session()
    expect(home.locator(f'[data-job="{found["id"]}"]')).to_contain_text("Running", timeout=3000)
    desk.server.end(found["id"])
    expect(home.locator(f'[data-job="{found["id"]}"]')).to_contain_text("Ended", timeout=3000)


def violations(page: Page) -> list[str]:
    """What axe finds, by day and by night; the client's own page in the frame is not ours."""
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        said = Axe().run(page, context={"exclude": [["iframe"]]}, options=RULES).response["violations"]
        found += [f"{scheme}: {item['id']}: {node['html'][:120]}" for item in said for node in item["nodes"]]
    return found


def test_axe_finds_nothing(desk: Desk, context: BrowserContext, session: dict[str, Any]) -> None:
    page = context.new_page()
    page.goto(desk.url(""))
    expect(page.locator("[data-job]").first).to_be_visible()
    expect(page.locator("[data-app]").first).to_be_visible()
    assert violations(page) == []
    page.goto(desk.url(f"{session['id']}/"))
    wait_ready(page)
    assert violations(page) == []
    for button in ("#clipboard", "#end-session"):
        page.locator(button).click()
        assert violations(page) == []
        page.keyboard.press("Escape")
    page.goto(desk.url("999/"))
    assert violations(page) == []


@pytest.fixture
def failed(desk: Desk) -> dict[str, Any]:
    """A session whose program is not there."""
    found = desk.server.launch("command", command=["no-such-program"])
    return desk.server.wait_for(found["id"], "FAILED")


def test_axe_finds_nothing_where_a_program_failed(desk: Desk, context: BrowserContext, failed: dict[str, Any]) -> None:
    page = context.new_page()
    page.goto(desk.url(f"{failed['id']}/"))
    expect(page.locator("#log-text")).not_to_be_empty()
    assert violations(page) == []
    page.goto(desk.url(""))
    for summary in ("Ended (", "Not available here"):
        page.locator("summary").filter(has_text=summary).click()
    assert violations(page) == []
    page.locator('[data-app="command"]').click()
    assert violations(page) == []


def fits(page: Page, width: int) -> None:
    """Nothing is cut off or scrolls sideways."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.evaluate(
        """() => [...document.querySelectorAll('button, a')].filter(e => e.checkVisibility()).filter(e => {
          const box = e.getBoundingClientRect(); return box.right > innerWidth + 1 || box.left < -1; })
          .map(e => e.id || e.textContent)"""
    )
    assert cut == []


def test_pages_fit_every_window(
    desk: Desk, context: BrowserContext, session: dict[str, Any], failed: dict[str, Any]
) -> None:
    """The pictures stay, for people to look at."""
    Path(ARTEFACTS).mkdir(exist_ok=True)
    page = context.new_page()
    places = {"home": "", "viewer": f"{session['id']}/", "failed": f"{failed['id']}/", "404": "999/"}
    for (name, path), width in product(places.items(), (320, 1100)):
        page.set_viewport_size({"width": width, "height": 700})
        page.goto(desk.url(path))
        if name == "viewer":
            wait_ready(page)
        elif name == "home":
            expect(page.locator("[data-app]").first).to_be_visible()
        elif name == "failed":
            expect(page.locator("#log-text")).not_to_be_empty()
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=str(ARTEFACTS / f"{name}-{width}-{scheme}.png"))
            fits(page, width)
        if name == "viewer":
            over = page.frames[-1].evaluate("document.elementFromPoint(innerWidth / 2, innerHeight * 0.6).className")
            assert "notifications" not in over, "something of the client lies over the picture"


def test_the_page_examines_the_installation_and_tries_a_small_job(desk: Desk, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{desk.url('')}#doctor")
    findings = page.locator(".jp-qconnect-findings")
    expect(findings).to_contain_text("Websockets get through")
    expect(findings).to_contain_text("comes through")  # the browser's name for the server
    page.get_by_role("button", name="Try a small job").click()
    expect(findings).to_contain_text("its HTML5 client is here", timeout=60_000)
    expect(findings).to_contain_text("The job was ended", timeout=60_000)
    page.get_by_text("As text, for whoever helps you").click()
    assert violations(page) == []
    page.close()
