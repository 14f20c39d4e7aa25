"""Every key arrives: real keys on a real layout, in a browser of any language, and what a program in the session reads.

The browser has a window on a screen of its own; the program writes down each byte that its terminal gives it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.e2e.desk import Desk, click_picture, make_desktop, wait_ready
from tests.e2e.firefox import Firefox
from tests.e2e.real_keys import ALT, CONTROL, RETURN, SHIFT, Keyboard, Layout, Stroke
from tests.support.deadline import eventually
from tests.support.extent import LONG
from tests.support.servers import REPOSITORY, JupyterServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
LAYOUTS = ["us", "de", "fr", "us(intl)", "de(nodeadkeys)", "ch", "es", "gb", "se", "pl", "ru", "gr", "jp"]
LANGUAGES = ["en-US", "de-DE", "fr-FR"] if LONG else ["en-US"]
NOTEBOOK = "stty raw -echo; : > ~/typed; exec cat >> ~/typed"
ARTEFACTS = REPOSITORY / "tests/artefacts"
CLIPBOARD = ["clipboard-read", "clipboard-write"]  # or Chromium asks, and what is typed is its answer
KINDS = ["xpra", "sandbox", "vnc"]
PAIRS = [(kind, name) for kind in KINDS for name in LAYOUTS]
if not LONG:
    PAIRS = [*PAIRS[:4], ("sandbox", "de"), ("vnc", "de")]


def german_backslash() -> list[dict[str, Any]]:
    """AltGr and ß."""
    altgr = {"key": "AltGraph", "code": "AltRight", "windowsVirtualKeyCode": 18, "location": 2}
    key = {"key": "\\", "code": "Minus", "windowsVirtualKeyCode": 219}
    return [
        {"type": "keyDown", **altgr},
        {"type": "keyDown", **key, "text": "\\"},
        {"type": "keyUp", **key},
        {"type": "keyUp", **altgr},
    ]


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
        eventually(self.started, 20, "the terminal's program")
        return page

    def started(self) -> bool:
        """Whether the terminal's program writes down what comes."""
        return self._file.exists()

    def bytes(self) -> bytes:
        return self._file.read_bytes()

    def read(self) -> str:
        return self.bytes().decode(errors="replace")

    def clear(self) -> None:
        os.truncate(self._file, 0)

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Nothing goes between browser and node: who moves the bytes is stopped."""
        assert self.desk.server.process
        server = psutil.Process(self.desk.server.process.pid)
        movers = [server, *[child for child in server.children() if "relay" in " ".join(child.cmdline())]]
        assert len(movers) == 2
        for process in movers:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in movers:
                process.send_signal(signal.SIGCONT)

    def typed(self, strokes: list[Stroke], expected: str, timeout: float = 30) -> str:
        """What came of these keys, as soon as it is all that is expected, or when no more comes."""
        self.clear()
        self.keyboard.type(strokes)
        with suppress(AssertionError):  # what is missing is told by the comparison
            eventually(lambda: len(self.read()) >= len(expected), timeout)
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


@pytest.fixture(scope="module")
def typing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, keyboard: Keyboard, browser_code: None
) -> Iterator[Typing]:
    config = {"QConnect": {"client_dirs": []}} if request.param == "sandbox" else {}
    server = JupyterServer(tmp_path_factory.mktemp(request.param), config=config)
    if request.param == "vnc":
        make_desktop(server.home)
        path = Path(server.home, ".vnc/xstartup")
        path.write_text(f"#!/bin/bash\nexec xterm -u8 -geometry 150x60+0+0 -e bash -c '{NOTEBOOK}'\n", encoding="utf-8")
    server.start()
    found = Typing(Desk(server), keyboard, request.param)
    yield found
    server.close()


def by_lines(parts: list[tuple[str, tuple[Stroke, ...]]]) -> tuple[list[Stroke], str]:
    """Each part and then Return: the keys, and the bytes that a terminal gives for them."""
    keys = [key for _, strokes in parts for key in (*strokes, Stroke(RETURN, 0))]
    return keys, "".join(f"{text}\r" for text, _ in parts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("typing", "name"), PAIRS, indirect=["typing"])
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


SENT = [  # Chromium's own events: an emoji panel, an input method, and a German backslash
    ("日本語 😀 é €", [("Input.insertText", {"text": "日本語 😀 é €"})]),
    (
        "日本",
        [
            ("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3}),
            ("Input.insertText", {"text": "日本"}),
        ],
    ),
    ("\\", [("Input.dispatchKeyEvent", event) for event in german_backslash()]),
]


@pytest.mark.parametrize("typing", KINDS, indirect=True)
def test_text_that_no_key_prints_arrives(headed: Browser, keyboard: Keyboard, typing: Typing) -> None:
    page = typing.open(headed, "de-DE")
    keys = text = page.context.new_cdp_session(page)
    if typing.kind == "sandbox":  # a process of its own, to which text of the page's session does not go
        text = page.context.new_cdp_session(page.frames[-1])
    typing.clear()
    for _, events in SENT:
        for method, given in events:
            (keys if "Key" in method else text).send(method, given)
        page.keyboard.press("Enter")
    expected = "".join(f"{text}\r" for text, _ in SENT)
    with suppress(AssertionError):  # what is missing is told by the comparison
        eventually(lambda: len(typing.read()) >= len(expected), 20)
    assert typing.read().split("\r") == expected.split("\r")
    page.context.close()


@pytest.mark.parametrize("typing", ["xpra", "vnc"], indirect=True)
def test_keys_that_the_browser_keeps_are_in_a_drawer(headed: Browser, keyboard: Keyboard, typing: Typing) -> None:
    page = typing.open(headed, "en-US")
    typing.clear()
    page.get_by_role("button", name="Keys", exact=True).click()
    for name in ("Ctrl+W", "Esc", "F5", "Ctrl+T"):
        page.get_by_role("button", name=name, exact=True).click()
    eventually(lambda: typing.bytes() == b"\x17\x1b\x1b[15~\x14", 10, lambda: f"{typing.bytes()!r}")
    page.keyboard.type("a")
    eventually(lambda: typing.bytes().endswith(b"a"), 10, "the keyboard is the program's again")
    page.screenshot(path=ARTEFACTS / f"keys-{typing.kind}.png")
    page.context.close()


CHORDS = [
    *[(key, CONTROL) for key in (54, 40, 52, 34, 51, 35, 65, 113, 114, 38)],  # C D Z [ \ ] Space ← → A
    (20, CONTROL, SHIFT),  # Ctrl+_
    *[(key, ALT) for key in (53, 60, 41, 68)],  # x . f F2
    (14, ALT, SHIFT),  # Alt+$
    (26, CONTROL, ALT),  # e
    *[
        (key,) for key in (71, 110, 115, 112, 117, 119, 118, 22, 9, 111, 96)
    ],  # F5 Home End PgUp PgDn Del Ins ⌫ Esc ↑ F12
    (71, SHIFT),
    (23, SHIFT),  # Shift+Tab
    (111, CONTROL),
    (104,),  # Enter of the keypad
]
"""Keys and what is held with them, by keycode."""


def chords(keyboard: Keyboard) -> None:
    for keycode, *held in CHORDS:
        keyboard.tap(keycode, *held)
        keyboard.tap(RETURN)
        time.sleep(0.03)  # the pace of the typing


@pytest.fixture(scope="module")
def native(keyboard: Keyboard, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the same terminal reads when it stands before the keyboard itself."""
    home = tmp_path_factory.mktemp("native")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "DISPLAY": keyboard.display, "LANG": "C.UTF-8"}
    keyboard.choose(Layout("us"))
    with subprocess.Popen(["xterm", "-u8", "-geometry", "200x65", "-e", "bash", "-c", NOTEBOOK], env=env) as xterm:
        typed = home / "typed"
        eventually(typed.exists, 20, "the terminal")
        keyboard.enter_window("xterm")
        chords(keyboard)
        eventually(lambda: typed.read_bytes().count(b"\r") > len(CHORDS), 20, "the last chord")
        xterm.terminate()
        return typed.read_bytes()


@pytest.mark.parametrize("typing", KINDS, indirect=True)
def test_chords_and_named_keys_give_what_they_give_natively(
    headed: Browser, keyboard: Keyboard, typing: Typing, native: bytes
) -> None:
    assert len(CHORDS) >= 20
    page = typing.open(headed, "de-DE")
    typing.clear()
    chords(keyboard)
    with suppress(AssertionError):  # what is missing is told by the comparison
        eventually(lambda: len(typing.bytes()) >= len(native), 20)
    assert typing.bytes().split(b"\r") == native.split(b"\r")
    page.context.close()


@pytest.mark.parametrize("typing", KINDS, indirect=True)
def test_a_line_that_stalls_between_down_and_up_repeats_nothing(
    headed: Browser, keyboard: Keyboard, typing: Typing
) -> None:
    keyboard.choose(Layout("us"))
    keyboard.repeats(False)  # on a busy machine, the finger would seem to rest on the key
    page = typing.open(headed, "en-US")
    typing.clear()
    for count in (1, 2, 3):
        keyboard.press(45)
        time.sleep(0.05)  # what a finger takes
        with typing.stalled():
            keyboard.release(45)
            time.sleep(2.5)  # the stall
        eventually(lambda count=count: typing.read() == "k" * count, 10, f"{count} letters, not {typing.read()!r}")
    keyboard.tap(36)
    eventually(lambda: typing.read().endswith("\r"), 10)
    assert typing.read() == "kkk\r"
    keyboard.repeats(True)
    page.context.close()


@pytest.mark.parametrize("typing", KINDS, indirect=True)
def test_a_key_that_is_held_repeats_no_more_than_the_line_takes(
    headed: Browser, keyboard: Keyboard, typing: Typing
) -> None:
    page = typing.open(headed, "en-US")
    typing.clear()
    page.keyboard.down("k")
    eventually(lambda: typing.read() == "k", 10, "the first letter")
    with typing.stalled():
        for _ in range(20):
            page.keyboard.down("k")
            time.sleep(0.1)  # a keyboard repeats faster
    page.keyboard.up("k")
    page.keyboard.press("Enter")
    eventually(lambda: typing.read().endswith("\r"), 20)
    assert 1 <= typing.read().count("k") <= 8
    page.context.close()


@pytest.fixture(scope="module")
def firefox(keyboard: Keyboard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    found = Firefox(tmp_path_factory.mktemp("firefox"), keyboard.display)
    yield found
    found.close()


@pytest.mark.parametrize("typing", KINDS if LONG else ["xpra"], indirect=True)
@pytest.mark.parametrize("name", ["us", "de"] if LONG else ["us"])
def test_every_character_of_a_layout_arrives_by_firefox(
    keyboard: Keyboard, typing: Typing, name: str, firefox: Firefox
) -> None:
    layout = Layout(name)
    keyboard.choose(layout)
    firefox.go(typing.desk.url(f"{typing.session['id']}/"))
    eventually(lambda: firefox.evaluate("window.qconnect?.state") == "ready", 40, "a live picture")
    keyboard.enter_window("firefox-esr")
    keyboard.click(600, 500)
    eventually(typing.started, 20, "the terminal's program")
    one = [(character, (stroke,)) for character, stroke in layout.characters]
    keys, expected = by_lines(one)  # on this bare screen, Firefox itself composes nothing of a dead key
    assert typing.typed(keys, expected).split("\r") == expected.split("\r")
    firefox.go("about:blank")
