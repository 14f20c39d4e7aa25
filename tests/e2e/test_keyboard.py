"""Every key arrives: real keys on a real layout, in a browser of any language, and what a program in the session reads.

The browser has a window on a screen of its own; the program writes down each byte that its terminal gives it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.e2e.desk import Desk, click_picture, make_desktop, wait_ready
from tests.e2e.real_keys import RETURN, Keyboard, Layout, Stroke
from tests.support.deadline import eventually
from tests.support.extent import LONG
from tests.support.servers import JupyterServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
LAYOUTS = ["us", "de", "fr", "us(intl)"]
if LONG:
    LAYOUTS += ["de(nodeadkeys)", "ch", "es", "gb", "se", "pl", "ru", "gr", "jp"]
LANGUAGES = ["en-US", "de-DE", "fr-FR"] if LONG else ["en-US"]
NOTEBOOK = "stty raw -echo; : > ~/typed; exec cat >> ~/typed"
CLIPBOARD = ["clipboard-read", "clipboard-write"]  # or Chromium asks, and what is typed is its answer
KINDS = ["xpra", "sandbox", "vnc"]


class Typing:
    """One session in whose terminal all that is typed lands in a file, and a window of a browser on it."""

    def __init__(self, desk: Desk, keyboard: Keyboard, kind: str) -> None:
        self.desk, self.keyboard, self.kind = desk, keyboard, kind
        self._file = desk.server.home / "typed"
        command = ["xterm", "-u8", "-e", "bash", "-c", NOTEBOOK]
        self.session = desk.session("vnc") if kind == "vnc" else desk.session("command", command=command)

    def open(self, browser: Browser, language: str) -> Page:
        """The session's page in a browser of this language, with the keys going to its program."""
        context = browser.new_context(locale=language, no_viewport=True, permissions=CLIPBOARD)
        page = context.new_page()
        page.goto(self.desk.url(f"{self.session['id']}/"))
        wait_ready(page)
        self.keyboard.enter_window()
        click_picture(page)
        eventually(self._file.exists, 20, "the terminal's program")
        return page

    def read(self) -> str:
        return self._file.read_bytes().decode(errors="replace")

    def clear(self) -> None:
        os.truncate(self._file, 0)

    def typed(self, strokes: list[Stroke], expected: str, timeout: float = 30) -> str:
        """What came of these keys, as soon as it is all that is expected, or when no more comes."""
        self.clear()
        self.keyboard.type(strokes)
        try:
            eventually(lambda: len(self.read()) >= len(expected), timeout)
        except AssertionError:
            pass  # what is missing is told by the comparison
        return self.read()


@pytest.fixture(scope="module")
def keyboard() -> Iterator[Keyboard]:
    found = Keyboard()
    yield found
    found.close()


@pytest.fixture(scope="module")
def headed(playwright: Playwright, browser_type_launch_args: dict[str, Any], keyboard: Keyboard) -> Iterator[Browser]:
    """A browser with a window, on the screen before which the keyboard is."""
    arguments = {**browser_type_launch_args, "headless": False, "env": {**os.environ, "DISPLAY": keyboard.display}}
    arguments["args"] = [*arguments["args"], "--window-size=1200,860", "--window-position=0,0"]
    browser = playwright.chromium.launch(**arguments)
    yield browser
    browser.close()


@pytest.fixture(scope="module", params=KINDS)
def typing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, keyboard: Keyboard, browser_code: None
) -> Iterator[Typing]:
    config = {"QConnect": {"client_dirs": []}} if request.param == "sandbox" else {}
    server = JupyterServer(tmp_path_factory.mktemp(request.param), config=config)
    if request.param == "vnc":
        make_desktop(server.home)
        path = Path(server.home, ".vnc/xstartup")
        path.write_text(f"#!/bin/bash\nexec xterm -u8 -geometry 150x60+0+0 -e bash -c '{NOTEBOOK}'\n")
    server.start()
    found = Typing(Desk(server), keyboard, request.param)
    yield found
    server.close()


def by_lines(parts: list[tuple[str, tuple[Stroke, ...]]]) -> tuple[list[Stroke], str]:
    """Each part and then Return: the keys, and the bytes that a terminal gives for them."""
    keys = [key for _, strokes in parts for key in (*strokes, Stroke(RETURN, 0))]
    return keys, "".join(f"{text}\r" for text, _ in parts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_character_of_a_layout_arrives(
    headed: Browser, keyboard: Keyboard, typing: Typing, name: str, language: str
) -> None:
    layout = Layout(name)
    keyboard.choose(layout)
    page = typing.open(headed, language)
    one = [(character, (stroke,)) for character, stroke in layout.characters]
    keys, expected = by_lines([*one, *layout.combinations])
    assert len(one) >= 94
    assert typing.typed(keys, expected).split("\r") == expected.split("\r")
    page.context.close()
