"""The launch form on the home page: by keyboard, by link, from a tile, and from a session that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.e2e.desk import Desk
from tests.e2e.test_home import ARTEFACTS, SCHEMES, fits, violations
from tests.support.servers import JupyterServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
TOOL = """\
title: Tool
description: A tool with questions of its own
category: Tools
command: [xterm, -title, "{word}"]
fields:
  - {name: word, type: text, default: plain}
  - {name: data, type: path, label: Data}
  - {name: renderer, type: choice, choices: [mesa, gpu], default: mesa}
  - {name: stereo, type: checkbox}
when:
  - if: {renderer: mesa}
    hide: [stereo]
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory, browser_code: None) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("home")
    apps = home / ".config/qconnect/apps"
    apps.mkdir(parents=True)
    (apps / "tool.yaml").write_text(TOOL)
    server = JupyterServer(home).start()
    (home / "work/data").mkdir()
    (home / "work/data/a b.vtk").touch()
    yield Desk(server)
    server.close()


def page_of(tools: Desk, context: BrowserContext, query: str = "") -> Page:
    page = context.new_page()
    page.goto(f"{tools.url('')}{query}")
    expect(page.locator("[data-app]").first).to_be_visible()
    return page


def form_of(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Tool", exact=True)


def started(page: Page, context: BrowserContext) -> dict[str, Any]:
    """What the form sends when Start is pressed by the keyboard, and the session that comes of it."""
    form = form_of(page)
    form.get_by_role("button", name="Start", exact=True).focus()
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer, context.expect_page():
        page.keyboard.press("Enter")
    assert answer.value.status == 201, answer.value.text()
    expect(form).to_have_count(0)
    found: dict[str, Any] = answer.value.json()
    return found


def test_a_form_is_filled_by_the_keyboard_alone(tools: Desk, context: BrowserContext) -> None:
    page = page_of(tools, context)
    page.locator('[data-app="tool"]').focus()
    page.keyboard.press("Shift+Enter")
    expect(form_of(page).get_by_label("Name")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("by keys")
    for text in ("", "1", "0.7g", "90 min"):  # queue, cores, memory, walltime
        page.keyboard.press("Tab")
        if text:
            page.keyboard.press("Control+A")
            page.keyboard.type(text)
    page.keyboard.press("Tab")
    expect(form_of(page).locator("[data-field=walltime]")).to_contain_text("= 01:30:00")
    session = started(page, context)
    asked = {key: session["spec"][key] for key in ("name", "cores", "memory", "walltime")}
    assert asked == {"name": "by keys", "cores": 1, "memory": "734004KB", "walltime": "01:30:00"}
    tools.server.end(session["id"])


def test_what_cannot_be_asked_is_said_at_the_field_and_starts_nothing(tools: Desk, context: BrowserContext) -> None:
    before = len(tools.server.sessions())
    page = page_of(tools, context, "&start=tool&cores=60000&word=linked")
    form = form_of(page)
    expect(form.get_by_label("Word")).to_have_value("linked")
    expect(form.locator("[data-field=cores] [role=alert]")).to_contain_text("or less: queue local.")
    expect(form.get_by_label("GPUs")).to_be_disabled()
    assert "start=" not in page.url
    form.get_by_role("button", name="Start", exact=True).click()
    expect(form).to_be_visible()
    page.route(
        "**/api/sessions",
        lambda route: route.fulfill(status=502, json=REFUSED) if route.request.method == "POST" else route.continue_(),
    )
    form.get_by_label("Cores").fill("1")
    form.get_by_role("button", name="Start", exact=True).click()
    expect(form.locator("[data-field=memory] [role=alert]")).to_have_text("No node has so much.")
    expect(form.get_by_label("Word")).to_have_value("linked")
    assert len(tools.server.sessions()) == before


REFUSED = {"message": "No.", "reason": "limits", "fields": {"memory": "No node has so much."}}


def test_last_used_and_saved_settings_are_there_in_another_browser(tools: Desk, browser: Browser) -> None:
    one, other = browser.new_context(), browser.new_context()
    page = page_of(tools, one)
    page.get_by_role("button", name="Tool: options").click()
    form = form_of(page)
    form.get_by_label("Memory").fill("700 MB")
    form.get_by_label("Renderer").select_option("gpu")
    form.get_by_label("Stereo").check()
    form.get_by_text("Browse for Data").click()
    form.get_by_role("button", name="data/").click()
    form.get_by_role("button", name="a b.vtk").click()
    form.get_by_text("Save these settings").click()
    form.get_by_label("Save as").fill("with data")
    form.get_by_role("button", name="Save", exact=True).click()
    expect(form.get_by_role("button", name="with data", exact=True)).to_be_visible()
    first = started(page, one)
    path = str(tools.server.home / "work/data/a b.vtk")
    assert first["spec"]["fields"] == {"word": "plain", "data": path, "renderer": "gpu", "stereo": True}

    page = page_of(tools, other)
    with other.expect_page(), page.expect_request(lambda request: request.method == "POST") as sent:
        page.locator('[data-app="tool"]').click()
    assert sent.value.post_data_json == {"app": "tool", "last": True}, "nothing had to be asked first"
    answer = sent.value.response()
    assert answer
    again = answer.json()
    assert (again["spec"]["memory"], again["spec"]["fields"]) == ("700MB", first["spec"]["fields"])
    page.wait_for_timeout(1000)  # a click within a double click's time of the last one is none
    with other.expect_page(), page.expect_response(lambda answer: answer.request.method == "POST") as told:
        page.get_by_role("button", name="Start Tool with the settings with data").click()
    assert told.value.json()["spec"]["fields"] == first["spec"]["fields"]
    for session in (first, again, told.value.json()):
        tools.server.end(session["id"])

    row = page.locator(f'[data-job="{first["id"]}"]')
    page.get_by_text("Ended (").click()
    row.get_by_role("button", name="with changes").click()
    expect(form_of(page).get_by_label("Data", exact=True)).to_have_value(path)
    form_of(page).get_by_role("button", name="Show script").click()
    expect(form_of(page).get_by_label("Script")).to_contain_text("#PBS -l mem=700MB")
    for context in (one, other):
        context.close()


def test_the_form_looks_and_reads_well(tools: Desk, context: BrowserContext) -> None:
    """The pictures stay, for people to look at."""
    Path(ARTEFACTS).mkdir(exist_ok=True)
    for width in (320, 1100):
        page = page_of(tools, context, "&start=tool&cores=60000&memory=1.5g")
        page.set_viewport_size({"width": width, "height": 800})
        expect(form_of(page).locator("[data-field=cores] [role=alert]")).to_contain_text("or less")
        form_of(page).get_by_text("More", exact=True).click()
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=str(ARTEFACTS / f"form-{width}-{scheme}.png"))
            fits(page, width)
        form_of(page).get_by_role("button", name="Cancel").scroll_into_view_if_needed()
        page.locator("dialog").evaluate("one => one.scrollTo(0, one.scrollHeight)")
        page.screenshot(path=str(ARTEFACTS / f"form-{width}-end.png"))
        assert violations(page) == []
        form_of(page).get_by_role("button", name="Cancel").click()
        page.screenshot(path=str(ARTEFACTS / f"form-{width}-tiles.png"))
        page.close()
