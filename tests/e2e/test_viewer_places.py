"""Viewer pages in other places: plain http, clients that nobody knows, clients that come from the node."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect

from hatch_build import build_frontend
from tests.e2e.desk import Desk, click_picture, make_desktop, wait_ready
from tests.e2e.painted import events, ready
from tests.e2e.test_viewer import HIDE
from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY, JupyterServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
CLIENT = Path("/usr/share/xpra/www")


class FarServer(JupyterServer):
    """A server that answers to a name of another machine."""

    def write_config(self) -> None:
        super().write_config()
        path = self.home / "config/jupyter_server_config.json"
        settings = json.loads(path.read_text())
        settings["ServerApp"]["local_hostnames"] = ["localhost", "qc.test"]
        path.write_text(json.dumps(settings))


@pytest.fixture
def far_browser(browser_type: BrowserType, browser_type_launch_args: dict[str, object]) -> Iterator[Browser]:
    """A browser for which the server is another machine: without https it gives the page no secure context."""
    arguments = [*browser_type_launch_args["args"], "--host-resolver-rules=MAP qc.test 127.0.0.1"]  # type: ignore[misc]  # Playwright types them as object
    browser = browser_type.launch(**{**browser_type_launch_args, "args": arguments})
    yield browser
    browser.close()


@pytest.mark.parametrize("app", ["xterm", "vnc"])
def test_plain_http_gives_everything_but_the_automatic_clipboard(
    tmp_path: Path, far_browser: Browser, app: str
) -> None:
    build_frontend(REPOSITORY)  # noVNC
    make_desktop(tmp_path)
    server = FarServer(tmp_path).start()
    try:
        desk = Desk(server)
        session = desk.session(app)
        page = far_browser.new_page()
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(desk.url(f"{session['id']}/").replace("127.0.0.1", "qc.test"))
        wait_ready(page)
        assert page.evaluate("[isSecureContext, typeof navigator.clipboard, typeof crypto.randomUUID]") == [
            False,
            "undefined",
            "undefined",
        ]
        assert desk.typed(page, "over-plain-http")
        page.get_by_role("button", name="Clipboard").click()
        expect(page.locator("#board-hint")).to_be_visible()
        page.get_by_label("To the program").fill("von Hand ☃")
        page.get_by_role("button", name="Send").click()
        eventually(lambda: desk.clipboard(session) == "von Hand ☃", 5, "the text in the program")
        with desk.copied(session, "zurück ✓"):
            out = page.get_by_label("Last copied in the program")
            expect(out).to_have_value("zurück ✓", timeout=10000)
        assert failures == []
    finally:
        server.close()


@pytest.fixture
def unknown_client(tmp_path: Path) -> Path:
    """A client whose inside our agent does not find."""
    folder = tmp_path / "client/share/xpra/www"
    shutil.copytree(CLIENT, folder)
    for name in ("index.html", "js/Client.js"):
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace("XpraClient", "OtherClient"))
    return folder


def test_an_unknown_client_is_shown_and_comes_back(
    tmp_path: Path, unknown_client: Path, context: BrowserContext
) -> None:
    server = JupyterServer(
        tmp_path / "home", config={"QConnect": {"client_dirs": [str(unknown_client)], "unseen_minutes": 0.05}}
    )
    server.home.mkdir()
    server.start()
    try:
        desk = Desk(server)
        session = desk.session()
        page = desk.view(context, session)
        assert events(page, "agent-unknown")
        eventually(lambda: "window 1" in shown_windows(page), 20, "the program's window")
        click_picture(page)
        eventually(lambda: desk.typed(page, "blind"), 15, "typing")
        frames = len(events(page, "frame"))
        page.frames[-1].evaluate("client._process_close(['close'], client)")
        eventually(lambda: len(events(page, "frame")) > frames and ready(page), 15, "another frame")
        eventually(lambda: "window 1" in shown_windows(page), 20, "the program's window again")
        page.evaluate(HIDE, True)  # it cannot be told that nobody looks: its frame goes
        eventually(lambda: not page.locator("iframe").count(), 30, "its end")
        page.evaluate(HIDE, False)
        eventually(lambda: "window 1" in shown_windows(page), 20, "the program's window at the look")
    finally:
        server.close()


def shown_windows(page: Page) -> list[str]:
    """The windows of the client in the shown frame."""
    ids = page.evaluate(
        "Object.keys(document.querySelector('iframe:not(.coming)')?.contentWindow?.client?.id_to_window ?? {})"
    )
    return [f"window {number}" for number in ids]


def test_a_client_from_the_node_runs_in_an_origin_of_its_own(tmp_path: Path, context: BrowserContext) -> None:
    server = JupyterServer(tmp_path, config={"QConnect": {"client_dirs": [], "unseen_minutes": 0.05}}).start()
    try:
        desk = Desk(server)
        session = desk.session()
        page = desk.view(context, session)
        frame = page.frames[-1]
        assert "/t/" in frame.url
        assert frame.evaluate("self.origin") == "null"
        assert frame.evaluate("(() => { try { return parent.document.title; } catch { return 'shut'; } })()") == "shut"
        assert desk.typed(page, "in-the-sandbox")
        before = len(events(page, "painted"))
        frame.evaluate("client._process_disconnect(['disconnect', 'gone'], client)")
        eventually(lambda: len(events(page, "painted")) > before and ready(page), 10, "another picture")
        assert desk.typed(page, "in-another-sandbox")
        before = len(events(page, "painted"))
        page.evaluate(HIDE, True)
        eventually(lambda: events(page, "resting"), 30, "the page's notice that nobody looks")
        page.evaluate(HIDE, False)
        eventually(lambda: len(events(page, "painted")) > before and ready(page), 10, "a picture at the look")
        assert desk.typed(page, "in-a-third-sandbox")
    finally:
        server.close()
