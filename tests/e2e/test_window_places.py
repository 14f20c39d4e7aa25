"""The program's windows on the stage: fitted into it, filling it, and with their buttons in reach, in any tab."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.desk import Desk
from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
PROGRAM = Path(__file__).with_name("gtkwindows.py")
ARTEFACTS = REPOSITORY / "tests/artefacts"
BORDER = 1
"""The client counts its windows' borders as nothing."""
Box = dict[str, float]


@pytest.fixture
def opened(desk: Desk, context: BrowserContext, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens one of the program's windows, as an app of this key, in a tab of some size."""
    apps = desk.server.home / ".config/qconnect/apps"
    apps.mkdir(parents=True, exist_ok=True)
    sessions: list[dict[str, Any]] = []

    def start(which: str, width: int, height: int, window: str = "float") -> Page:
        command = json.dumps(["/usr/bin/python3", str(PROGRAM), str(tmp_path), which])
        (apps / f"{window}.yaml").write_text(f"title: Windows\ncommand: {command}\nwindow: {window}\n")
        sessions.append(desk.session(window))
        return desk.view(context, sessions[-1], width, height)

    yield start
    for session in sessions:
        desk.server.end(session["id"])


def box(page: Page, title: str) -> Box:
    """Where the picture of a window is on the page; nothing while there is none."""
    window = page.frames[-1].locator(".window", has=page.frames[-1].locator(".windowtitle", has_text=title))
    canvas = window.locator("canvas").first
    found = canvas.bounding_box() if canvas.count() else None
    return Box(**found) if found else {}


def stage(page: Page) -> Box:
    found = page.locator("#stage").bounding_box()
    assert found
    return Box(**found)


def within(inner: Box, outer: Box) -> bool:
    return bool(inner) and all(
        outer[at] - BORDER <= inner[at] and inner[at] + inner[size] <= outer[at] + outer[size] + BORDER
        for at, size in (("x", "width"), ("y", "height"))
    )


def covers(inner: Box, outer: Box) -> bool:
    return bool(inner) and all(abs(inner[name] - outer[name]) <= BORDER for name in outer)


def click(page: Page, title: str, name: str, folder: Path) -> None:
    """Clicks a button of the program where it is drawn, until the program has heard of it."""

    def clicked() -> bool:
        spot, at = json.loads((folder / f"{name}.json").read_text()), box(page, title)
        if not (folder / f"{name}.clicked").exists() and at:
            page.mouse.click(at["x"] + spot[0], at["y"] + spot[1])
        return (folder / f"{name}.clicked").exists()

    eventually((folder / f"{name}.json").exists, 20, f"the button {name}")
    eventually(clicked, 20, f"a click on {name}")


def test_a_dialog_that_is_larger_than_the_stage_is_fitted_and_comes_back(
    opened: Callable[..., Page], tmp_path: Path
) -> None:
    page = opened("chooser", 1200, 800)
    eventually(lambda: within(box(page, "Open a file"), stage(page)), 20, "the whole dialog on the stage")
    page.screenshot(path=ARTEFACTS / "windows-chooser.png")
    page.set_viewport_size({"width": 700, "height": 560})
    eventually(lambda: within(box(page, "Open a file"), stage(page)), 20, "the whole dialog on a small stage")
    click(page, "Open a file", "cancel", tmp_path)
    page.screenshot(path=ARTEFACTS / "windows-chooser-small.png")
    page.set_viewport_size({"width": 1500, "height": 1000})
    eventually(lambda: box(page, "Open a file").get("height") == 822, 20, "the size that the program wanted")
    click(page, "Open a file", "help", tmp_path)


def test_to_a_window_that_cannot_be_smaller_the_stage_scrolls(opened: Callable[..., Page], tmp_path: Path) -> None:
    page = opened("fixed", 1200, 700)
    scroll = "document.documentElement.scrollTop = 1e6, document.documentElement.scrollTop"
    eventually(lambda: page.frames[-1].evaluate(scroll) > 0, 20, "a stage that scrolls")
    page.screenshot(path=ARTEFACTS / "windows-fixed.png")
    click(page, "As large as it is", "apply", tmp_path)
    page.set_viewport_size({"width": 1200, "height": 1200})
    eventually(lambda: page.frames[-1].evaluate(scroll) == 0, 20, "a stage without bars")


def test_a_main_window_fills_the_tab_and_a_dialog_is_over_its_middle(
    opened: Callable[..., Page], tmp_path: Path
) -> None:
    page = opened("main", 1200, 800, window="fill")
    eventually(lambda: covers(box(page, "The program"), stage(page)), 20, "a window as large as the stage")
    expect(page.frames[-1].locator(".qconnect-main > .windowhead")).to_be_hidden()
    eventually(lambda: box(page, "A question"), 20, "the dialog")
    page.screenshot(path=ARTEFACTS / "windows-fill.png")
    dialog, room = box(page, "A question"), stage(page)
    assert abs(dialog["x"] + dialog["width"] / 2 - room["x"] - room["width"] / 2) <= 2
    assert abs(dialog["y"] + dialog["height"] / 2 - room["y"] - room["height"] / 2) <= 2
    page.mouse.click(room["x"] + 30, room["y"] + 30)  # the main window comes to the front, but not before its dialog
    page.set_viewport_size({"width": 700, "height": 560})
    eventually(lambda: covers(box(page, "The program"), stage(page)), 20, "a window as large as the small stage")
    click(page, "A question", "yes", tmp_path)
    eventually(lambda: not box(page, "A question"), 20, "the end of the dialog")
    page.set_viewport_size({"width": 1300, "height": 850})
    eventually(lambda: covers(box(page, "The program"), stage(page)), 20, "a window as large as the large stage")


def test_a_window_does_not_drift_from_visit_to_visit(
    opened: Callable[..., Page], desk: Desk, context: BrowserContext
) -> None:
    page = opened("main", 1200, 800)
    eventually(lambda: box(page, "The program"), 20, "the window")
    page.wait_for_timeout(500)  # both windows are where they stay
    before, address = box(page, "The program"), page.url
    for _ in range(2):
        page.close()
        page = context.new_page()
        page.set_viewport_size({"width": 1200, "height": 800})
        page.goto(address)
        eventually(lambda page=page: box(page, "The program"), 20, "the window")
    assert box(page, "The program") == before
