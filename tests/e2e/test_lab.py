"""JupyterLab as a user meets it: tiles, tabs, the sidebar, and the words when something is refused."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY, JupyterServer, settled

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
SETTINGS = "lab/api/settings/qconnect-web:plugin"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
ARTEFACTS = REPOSITORY / "tests/artefacts"
CLICK_COUNTS_MS = 5000
"""How long Chromium takes a click for a reason to open a tab (transient activation)."""

WATCH_FOCUS = """() => {
  window.focused = [];
  setInterval(() => {
    const { tagName } = document.activeElement;
    window.focused.includes(tagName) || window.focused.push(tagName);
  }, 10);
}"""
"""Keeps in `focused` where the keyboard has been since."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, lab_config: dict[str, Any]) -> Iterator[JupyterServer]:
    """One JupyterLab for all tests of this file; each leaves it without sessions."""
    server = JupyterServer(tmp_path_factory.mktemp("lab"), module="jupyterlab", config=lab_config)
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def lab(shared: JupyterServer) -> Iterator[JupyterServer]:
    """The shared server, with default settings and without sessions."""
    assert shared.request("PUT", SETTINGS, {"raw": "{}"}).status == 204
    yield shared
    for session in shared.sessions():
        if session["state"] not in ("ENDED", "FAILED"):
            shared.end(session["id"])
        assert shared.request("DELETE", f"qconnect/api/sessions/{session['id']}").status == 204


@pytest.fixture
def page(context: BrowserContext, lab: JupyterServer) -> Page:
    """JupyterLab, with an empty workspace."""
    page = context.new_page()
    open_lab(page, f"{lab.url}lab?reset&token={lab.token}")
    return page


def open_lab(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.restored.then(() => true)", timeout=60000)


def tile(page: Page, title: str = "XTerm") -> Locator:
    return page.locator(".jp-LauncherCard[data-category=QConnect]").filter(has_text=title)


def execute(page: Page, command: str, **args: Any) -> None:
    """Runs a command without waiting for its end, which may be a dialog's."""
    page.evaluate("([command, args]) => void window.jupyterapp.commands.execute(command, args)", [command, args])


def dialog(page: Page) -> Locator:
    return page.locator(".jp-Dialog-content")


def wait_at_viewer(tab: Page, timeout: float = 20000) -> str:
    """The session id, once the tab is at its viewer page."""
    tab.wait_for_url(re.compile(r"/qconnect/[^/]+/$"), timeout=timeout)
    return tab.url.rstrip("/").rpartition("/")[2]


def test_there_is_a_tile_for_each_app_that_can_run_here(page: Page, lab: JupyterServer) -> None:
    apps = lab.request("GET", "qconnect/api/apps").json()["apps"]
    available = [app for app in apps if app["available"]]
    assert "xterm" in [app["name"] for app in available]
    cards = page.locator(".jp-LauncherCard[data-category=QConnect]")
    expect(cards).to_have_text([app["title"] for app in available])
    for card, app in zip(cards.all(), available, strict=True):
        assert card.get_attribute("title") == app["description"]
        assert card.locator("svg image").bounding_box() is not None


def test_the_palette_starts_an_app(page: Page, context: BrowserContext, lab: JupyterServer) -> None:
    field = page.locator(".lm-CommandPalette-input")
    eventually(lambda: execute(page, "apputils:activate-command-palette") or field.is_visible(), what="the palette")
    field.fill("start xterm")
    first = page.locator(".lm-CommandPalette-item").first
    expect(first).to_have_attribute("data-command", "qconnect:open-app")
    expect(first).to_contain_text("XTerm")
    expect(first).to_have_class(re.compile("lm-mod-active"))
    with context.expect_page() as opened:
        field.press("Enter")
    assert wait_at_viewer(opened.value) == lab.sessions()[0]["id"]


def test_a_click_opens_the_session_in_a_browser_tab(page: Page, context: BrowserContext, lab: JupyterServer) -> None:
    with context.expect_page() as opened:
        tile(page).click()
    job_id = wait_at_viewer(opened.value)
    assert [session["id"] for session in lab.sessions()] == [job_id]
    assert opened.value.evaluate("() => window.opener") is None


def test_the_tab_opens_before_a_slow_scheduler_answers(page: Page, context: BrowserContext) -> None:
    held: list[Route] = []
    page.route("**/qconnect/api/sessions*", lambda route: held.append(route) if is_post(route) else route.continue_())
    with context.expect_page() as opened:
        tile(page).click()
    expect(opened.value.get_by_role("status")).to_have_text("Starting XTerm…")
    page.wait_for_timeout(CLICK_COUNTS_MS + 1000)  # from here on a popup blocker would eat a new tab
    held[0].continue_()
    wait_at_viewer(opened.value)


def is_post(route: Route) -> bool:
    return route.request.method == "POST"


def test_a_double_click_starts_one_session(page: Page, context: BrowserContext, lab: JupyterServer) -> None:
    with context.expect_page() as opened:
        tile(page).dblclick()
    wait_at_viewer(opened.value)
    assert settled(lambda: len(lab.sessions()) == 1, still_for=1.5)
    assert len(context.pages) == 2


def test_a_tab_that_the_popup_blocker_ate_is_offered_as_a_link(page: Page, context: BrowserContext) -> None:
    page.evaluate(
        "ms => setTimeout(() => window.jupyterapp.commands.execute('qconnect:open-app', { app: 'xterm' }), ms)",
        CLICK_COUNTS_MS + 1000,  # nothing that the user did is recent: the real blocker is at work
    )
    page.wait_for_timeout(CLICK_COUNTS_MS + 2000)  # without a look at the page: each one counts as a click
    link = dialog(page).get_by_role("link", name="Open XTerm in a new tab")
    expect(link).to_be_visible(timeout=20000)
    assert len(context.pages) == 1
    expect(link).to_be_focused()
    with context.expect_page() as opened:
        link.click()
    wait_at_viewer(opened.value)
    expect(dialog(page)).to_have_count(0)


def test_a_refused_start_shows_the_servers_words_and_leaves_no_tab(
    page: Page, context: BrowserContext, lab: JupyterServer
) -> None:
    message = lab.request("POST", "qconnect/api/sessions", {"app": "nonesuch"}).json()["message"]
    execute(page, "qconnect:open-app", app="nonesuch")
    expect(dialog(page)).to_contain_text("nonesuch was not started")
    expect(dialog(page)).to_contain_text(message)
    eventually(lambda: page.evaluate("true") and len(context.pages) == 1, what="the end of its tab")
    dialog(page).get_by_role("button", name="Close").click()
    assert lab.sessions() == []


def test_any_command_runs_what_was_typed(page: Page, context: BrowserContext, lab: JupyterServer) -> None:
    tile(page, "Any command").click()
    form = page.get_by_role("dialog", name="Any command")
    form.get_by_label("Command, as you would type it").fill('xterm -title "two words"')
    with context.expect_page() as opened:
        form.get_by_role("button", name="Start").click()
    job_id = wait_at_viewer(opened.value)
    assert lab.session(job_id)["command"] == ["xterm", "-title", "two words"]


def test_a_tab_of_jupyterlab_comes_back_after_a_reload(page: Page, lab: JupyterServer) -> None:
    use_lab_tabs(page, lab)
    tile(page).click()
    frame = page.locator(".jp-qconnect-Viewer iframe")
    (session,) = eventually(lab.sessions, what="the session")
    expect(frame).to_have_attribute("src", lab.origin + session["url"])
    expect(page.locator(".jp-Launcher")).to_have_count(0)
    eventually(lambda: session["id"] in saved_layout(lab), 15, "the saved layout")
    open_lab(page, f"{lab.url}lab")
    expect(frame).to_have_attribute("src", lab.origin + session["url"])
    assert len(lab.sessions()) == 1


def use_lab_tabs(page: Page, lab: JupyterServer) -> None:
    assert lab.request("PUT", SETTINGS, {"raw": json.dumps({"openIn": "lab-tab"})}).status == 204
    open_lab(page, f"{lab.url}lab?reset")


def saved_layout(lab: JupyterServer) -> str:
    return json.dumps(lab.request("GET", "lab/api/workspaces/default").json())


def test_a_click_into_a_session_activates_its_tab(page: Page, lab: JupyterServer) -> None:
    use_lab_tabs(page, lab)
    tile(page).click()
    viewer = page.locator(".jp-qconnect-Viewer")
    expect(viewer).to_be_visible()
    lab.wait_for(lab.sessions()[0]["id"], "READY")
    page.evaluate(
        """async () => {
          const launcher = await window.jupyterapp.commands.execute('launcher:create');
          window.jupyterapp.shell.add(launcher, 'main', { mode: 'split-right' });
          window.jupyterapp.shell.activateById(launcher.id);
        }"""
    )
    current = "() => window.jupyterapp.shell.currentWidget.id"
    page.wait_for_function(f"!({current})().startsWith('qconnect')")
    viewer.click()
    page.wait_for_function(f"({current})().startsWith('qconnect')", timeout=5000)


def test_the_sidebar_lists_and_stops_a_session(page: Page, lab: JupyterServer) -> None:
    job_id = lab.launch()["id"]
    page.locator(".jp-SideBar [data-id=jp-running-sessions]").click()
    item = page.get_by_role("region", name="QConnect sessions Section").locator(".jp-RunningSessions-item")
    expect(item).to_have_count(1)
    item.hover()
    item.get_by_title("Stop the program").click()
    dialog(page).get_by_role("button", name="Stop", exact=True).click()
    lab.wait_for(job_id, "ENDED")
    expect(item).to_have_count(0)


def test_the_sidebar_opens_a_session(page: Page, context: BrowserContext, lab: JupyterServer) -> None:
    job_id = lab.launch()["id"]
    page.locator(".jp-SideBar [data-id=jp-running-sessions]").click()
    with context.expect_page() as opened:
        page.locator("#jp-running-sessions .jp-RunningSessions-itemLabel").filter(has_text="XTerm").click()
    assert wait_at_viewer(opened.value) == job_id


def test_the_panel_shows_starts_and_ends_sessions(page: Page, context: BrowserContext, lab: JupyterServer) -> None:
    page.locator(".jp-SideBar [data-id=qconnect-panel]").click()
    panel = page.get_by_role("region", name="QConnect", exact=True)
    with context.expect_page() as opened:
        panel.locator('[data-app="xterm"]').click()
    job_id = wait_at_viewer(opened.value)
    row = panel.locator(f'[data-job="{job_id}"]')
    expect(row).to_contain_text("Running", timeout=30_000)
    with context.expect_page() as again:
        row.get_by_role("link", name="XTerm").click()
    assert wait_at_viewer(again.value) == job_id
    assert lab.sessions()[0]["id"] == job_id
    assert not violations(page, ".jp-qconnect-Panel")
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "lab-panel.png")
    row.get_by_role("button", name="End").click()
    page.get_by_role("button", name="End session").click()
    lab.wait_for(job_id, "ENDED")
    expect(panel.get_by_text("Ended (1)")).to_be_visible(timeout=10_000)


def violations(page: Page, within: str) -> list[str]:
    """What axe finds in our own part; JupyterLab's page around it has some of its own."""
    found = Axe().run(page, context={"include": [[within]]}, options=RULES).response["violations"]
    return [f"{item['id']}: {node['html'][:120]}" for item in found for node in item["nodes"]]


def test_a_terminal_session_is_a_terminal_with_its_display_beside_it(page: Page, lab: JupyterServer) -> None:
    tile(page, "Terminal (tmux)").click()
    terminal = page.locator(".jp-Terminal")
    expect(terminal).to_be_visible(timeout=20_000)
    (session,) = eventually(lab.sessions, 20, "the session")
    assert session["kind"] == "terminal"
    lab.wait_for(session["id"], "READY", timeout=60)
    viewer = page.locator(f"#qconnect-{session['id'].replace('.', chr(92) + '.')} iframe")
    expect(viewer).to_be_visible()
    left, right = terminal.bounding_box(), viewer.bounding_box()
    assert left
    assert right
    assert left["x"] + left["width"] <= right["x"] + 1

    def attached() -> bool:
        (path,) = lab.home.glob(".local/share/qconnect/sessions/*/connection.json")
        socket = json.loads(path.read_text().splitlines()[0])["terminal"]
        return bool(subprocess.run(["tmux", "-S", socket, "list-clients"], capture_output=True, check=True).stdout)

    eventually(attached, 60, "the terminal in the session")
    terminal.click()
    page.evaluate(WATCH_FOCUS)
    page.keyboard.type('echo "$QCONNECT$DISPLAY" > ~/where\n')
    where = lab.home / "where"
    eventually(lambda: where.exists() and where.read_text().startswith("tmux:"), 20, "the session's own shell")
    inside = next(frame for frame in page.frames if f"/qconnect/{session['id']}/" in frame.url)
    expect(inside.get_by_text("No window yet")).to_be_visible(timeout=20_000)
    page.keyboard.type("xterm -bg '#ff0000' -e sleep 1000 &\n")
    eventually(lambda: inside.evaluate("() => window.qconnect.state === 'ready'"), 30, "the window beside the terminal")
    assert page.evaluate("window.focused") == ["TEXTAREA"]
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "lab-terminal.png")
