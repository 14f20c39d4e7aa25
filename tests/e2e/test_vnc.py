"""A VNC desktop in the browser: noVNC on a real TigerVNC, in the same viewer as any other session."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

from hatch_build import build_frontend
from tests.e2e.desk import READ, Desk, click_picture, make_desktop, stage, wait_ready
from tests.e2e.painted import events, ready
from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY, JupyterServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("may_paste")]
ARTEFACTS = REPOSITORY / "tests/artefacts"
TEXTS = ["zurück ✓ 漢字", "plain", "two\nlines\tand a tab"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A user with a desktop of her own making."""
    build_frontend(REPOSITORY)
    server = JupyterServer(tmp_path_factory.mktemp("home"), prefix="/a%40b/")
    make_desktop(server.home)
    yield Desk(server.start())
    server.close()


@pytest.fixture(scope="module")
def session(desk: Desk) -> Iterator[dict[str, Any]]:
    found = desk.session("vnc")
    yield found
    desk.server.end(found["id"])


def inside(page: Page) -> Frame:
    """The frame that is shown, with noVNC in it."""
    found = page.locator("iframe:not(.coming)").element_handle().content_frame()
    assert found
    return found


PIXELS = """() => {
  const canvas = document.querySelector('#desktop canvas');
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const at = (x, y) => Array.from(data.slice(4 * (y * canvas.width + x), 4 * (y * canvas.width + x) + 3));
  return { size: [canvas.width, canvas.height], root: at(5, 5), terminal: at(60, 300) };
}"""


def pixels(page: Page) -> dict[str, Any]:
    return dict(inside(page).evaluate(PIXELS))


def desktop(desk: Desk, session: dict[str, Any]) -> list[int]:
    """The desktop's size, as its own programs see it."""
    env = {**os.environ, **desk.environment(session)}
    told = subprocess.run(["xdpyinfo"], env=env, capture_output=True, text=True, timeout=20, check=True).stdout
    return [int(side) for side in told.partition("dimensions:")[2].split()[0].split("x")]


def test_it_is_painted_typed_into_and_follows_the_windows_size(desk: Desk, page: Page, session: dict[str, Any]) -> None:
    eventually(lambda: pixels(page)["root"] == [0x30, 0x50, 0x70], 10, "the root window's colour")
    eventually(lambda: pixels(page)["terminal"] == [255, 255, 255], 10, "the terminal")
    assert desk.typed(page, "no-click")
    for width, height in ((800, 560), (1240, 800)):
        page.set_viewport_size({"width": width, "height": height})
        eventually(lambda: pixels(page)["size"] == desktop(desk, session) == stage(page), 10, f"{width}x{height}")
    click_picture(page)
    assert desk.typed(page, "after-resizing")
    page.screenshot(path=ARTEFACTS / "vnc.png")
    assert not [entry for entry in page.evaluate("qconnect.log") if entry[1] in ("agent-csp", "agent-error")]


def test_text_of_any_alphabet_is_pasted_both_ways(desk: Desk, page: Page, session: dict[str, Any]) -> None:
    click_picture(page)
    for text in TEXTS:
        with desk.copied(session, text):
            eventually(lambda text=text: page.evaluate(READ) == text, 10, f"{text!r} in the browser")
    for text in TEXTS:
        page.keyboard.press("Control+Alt+Shift+Q")
        page.evaluate("text => navigator.clipboard.writeText(text)", text)
        click_picture(page)
        eventually(lambda text=text: desk.clipboard(session) == text, 10, f"{text!r} in the desktop")


def test_text_goes_to_the_desktop_by_hand(desk: Desk, page: Page, session: dict[str, Any]) -> None:
    page.get_by_role("button", name="Clipboard").click()
    page.get_by_label("To the program").fill("von Hand ☃")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Close").click()
    eventually(lambda: desk.clipboard(session) == "von Hand ☃", 10, "the text in the desktop")


def test_the_chord_takes_the_keyboard_back(desk: Desk, page: Page) -> None:
    button = page.locator("#keyboard")
    click_picture(page)
    page.keyboard.press("Control+Alt+Shift+Q")
    expect(button).to_be_focused()
    expect(button).to_have_text("Use keyboard")
    page.keyboard.press("Enter")
    expect(button).to_have_text("Release keyboard")
    assert desk.typed(page, "after-the-chord")


def test_only_what_the_user_does_counts_as_work(page: Page) -> None:
    click_picture(page)
    page.wait_for_timeout(1200)  # one word a second
    said = """name => new Promise(resolve => {
      const frame = document.querySelector('iframe:not(.coming)').contentWindow;
      const heard = event => event.source === frame && event.data.event === name && resolve(true);
      window.addEventListener('message', heard);
      setTimeout(() => resolve(false), 3500);
    })"""
    assert page.evaluate(said, "echo")
    assert not page.evaluate(said, "input")
    page.evaluate(f"void (window.heardWork = ({said})('input'))")
    page.keyboard.press("a")
    page.keyboard.press("Backspace")
    assert page.evaluate("window.heardWork")


def test_looking_on_touches_nothing(desk: Desk, page: Page, session: dict[str, Any]) -> None:
    before = desktop(desk, session)
    page.locator("#view-only").click()
    click_picture(page)
    assert not desk.typed(page, "while-looking-on")
    page.set_viewport_size({"width": 700, "height": 500})
    page.wait_for_timeout(700)  # nothing must happen
    assert desktop(desk, session) == before
    page.locator("#view-only").click()
    click_picture(page)
    assert desk.typed(page, "after-looking-on")


def test_a_link_for_looking_on_shows_all_and_decides_nothing(
    desk: Desk, context: BrowserContext, page: Page, session: dict[str, Any]
) -> None:
    eventually(lambda: desktop(desk, session) == stage(page), 10, "the first tab's size")
    page.locator("#view-only").click()
    link = page.url
    page.locator("#view-only").click()
    other = context.new_page()
    other.set_viewport_size({"width": 640, "height": 420})
    other.goto(link)
    wait_ready(other)
    assert other.locator("#view-only").get_attribute("aria-pressed") == "true"
    assert pixels(other)["root"] == [0x30, 0x50, 0x70]
    click_picture(other)
    assert not desk.typed(other, "by-link")
    assert desktop(desk, session) == stage(page) != stage(other)
    drawn = other.locator("iframe").bounding_box()
    assert drawn
    assert drawn["width"] <= 640


WATCH = """() => {
  window.pictures = new Set();
  const look = () => {
    const canvas = document.querySelector('iframe:not(.coming)')?.contentDocument.querySelector('canvas');
    window.pictures.add(canvas?.width ? String(canvas.getContext('2d').getImageData(5, 5, 1, 1).data) : 'nothing');
    requestAnimationFrame(look);
  };
  look();
}"""


def test_a_cut_line_is_mended_and_the_last_picture_stays(desk: Desk, page: Page, session: dict[str, Any]) -> None:
    eventually(lambda: pixels(page)["root"] == [0x30, 0x50, 0x70], 10, "the root window's colour")
    before = len(events(page, "painted"))
    page.evaluate(WATCH)
    env = {**os.environ, **desk.environment(session)}
    subprocess.run(["tigervncconfig", "-disconnect"], env=env, timeout=10, check=True)  # the node hangs up
    eventually(lambda: len(events(page, "painted")) > before and ready(page), 10, "another picture")
    assert page.evaluate("[...pictures]") == ["48,80,112,255"]
    click_picture(page)
    assert desk.typed(page, "after-the-cut")


FRAME_RULES = {"rules": {"page-has-heading-one": {"enabled": False}}}
"""The heading of the whole is in the page around the frame."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_either_light_or_width(
    desk: Desk, browser: Browser, session: dict[str, Any], scheme: Literal["light", "dark"]
) -> None:
    """The viewer's page and the page with noVNC in its frame, both ours."""
    context = browser.new_context(color_scheme=scheme)
    try:
        page = desk.view(context, session)
        for width, height in ((1240, 800), (360, 640)):
            page.set_viewport_size({"width": width, "height": height})
            eventually(lambda: pixels(page)["root"] == [0x30, 0x50, 0x70], 10, "the root window's colour")
            eventually(lambda: pixels(page)["size"] == stage(page), 10, f"{width}x{height}")
            assert not Axe().run(inside(page), options=FRAME_RULES).response["violations"]
            assert not Axe().run(page).response["violations"]  # together with the frame, which has axe now
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            page.screenshot(path=ARTEFACTS / f"vnc-{scheme}-{width}.png")
    finally:
        context.close()


def test_the_end_of_the_desktop_is_told(desk: Desk, context: BrowserContext) -> None:
    session = desk.session("vnc")
    page = desk.view(context, session)
    assert desk.typed(page, "before-the-end")
    page.keyboard.type("exit\n", delay=10)
    expect(page.get_by_role("heading", name="Desktop (VNC) has ended")).to_be_visible(timeout=20000)
    expect(page.locator("#room-line")).to_have_text("The program ended.")
    assert not [pid for pid, command in desk.server.leftovers().items() if session["id"] in command]


def test_a_hidden_desktop_sends_next_to_nothing(desk: Desk, context: BrowserContext, session: dict[str, Any]) -> None:
    page = context.new_page()
    heard: list[int] = []
    page.on("websocket", lambda found: found.on("framereceived", lambda data: heard.append(len(data))))
    page.goto(desk.url(""))
    page.evaluate(PANEL, session["url"])
    eventually(lambda: page.frames[1].evaluate("window.qconnect?.state === 'ready'"), 30, "a live picture")
    page.mouse.click(450, 320)
    page.keyboard.type("while :; do date +%N; sleep .02; done\n", delay=5)

    def bytes_in(milliseconds: int) -> int:
        heard.clear()
        page.wait_for_timeout(milliseconds)  # the measurement itself
        return sum(heard)

    eventually(lambda: bytes_in(1000) > 20_000, 10, "a busy picture")
    page.evaluate(SAY, "hidden")
    eventually(lambda: bytes_in(1500) < 5_000, 15, "silence")
    assert page.frames[1].evaluate("qconnect.state") == "ready"
    page.evaluate(SAY, "shown")
    eventually(lambda: bytes_in(1000) > 20_000, 10, "a busy picture again")
    page.mouse.click(450, 320)
    page.keyboard.press("Control+C")


PANEL = """url => {
  document.body.replaceChildren();
  const frame = document.createElement('iframe');
  Object.assign(frame.style, { width: '900px', height: '600px' });
  frame.src = url;
  document.body.append(frame);
}"""
SAY = "word => document.querySelector('iframe').contentWindow.postMessage({ qconnect: word }, location.origin)"
