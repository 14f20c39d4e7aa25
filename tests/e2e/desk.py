"""One user at a viewer page: a server, sessions, what is typed, and what the program's side of it sees."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.e2e.painted import ready
from tests.support.deadline import eventually
from tests.support.servers import JupyterServer

XCLIPBOARD = Path(__file__).with_name("xclipboard.py")
READ = "navigator.clipboard.readText()"
XSTARTUP = """#!/bin/bash
xsetroot -solid '{colour}'
exec xterm -geometry 100x30+20+20 -u8 -fa Monospace -fs 11
"""
"""A VNC desktop of the user's own: with no window manager, keys go to the window under the pointer."""

PANEL = """url => {
  window.heard = [];
  window.addEventListener('message', event => window.heard.push(event.data));
  const frame = document.createElement('iframe');
  frame.allow = 'clipboard-read; clipboard-write; fullscreen';
  Object.assign(frame.style, { display: 'block', width: '900px', height: '600px' });
  frame.src = url;
  document.body.replaceChildren(frame, document.createElement('textarea'));
}"""


@dataclass
class Desk:
    """A server, and how to open its pages as somebody who is logged in."""

    server: JupyterServer

    def session(self, app: str = "xterm", **body: Any) -> dict[str, Any]:
        """A session whose display is there."""
        return self.server.wait_for(self.server.launch(app, **body)["id"], "READY")

    def url(self, path: str) -> str:
        """An address that logs in on the way."""
        return f"{self.server.url}qconnect/{path}?token={self.server.token}"

    def view(self, context: BrowserContext, session: dict[str, Any], width: int = 1280, height: int = 720) -> Page:
        """The session's page, painted, in a window of this size."""
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.goto(self.url(f"{session['id']}/"))
        wait_ready(page)
        return page

    def panel(self, context: BrowserContext, session: dict[str, Any]) -> Page:
        """The session's page in a frame over a field, as in JupyterLab; what it says is kept in `heard`."""
        page = context.new_page()
        page.goto(self.url(""))
        page.evaluate(PANEL, session["url"])
        return page

    def environment(self, session: dict[str, Any]) -> dict[str, str]:
        """DISPLAY and XAUTHORITY of the session, as its own program has them."""
        for pid in self.server.leftovers():
            try:
                pairs = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
                command = Path(f"/proc/{pid}/comm").read_text().strip()
            except OSError:
                continue
            found = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
            if command == "xterm" and found.get("PBS_JOBID") == session["id"]:
                return {name: found[name] for name in ("DISPLAY", "XAUTHORITY")}
        raise AssertionError("the session has no program with a display")

    def clipboard(self, session: dict[str, Any]) -> str:
        """What a program in the session would paste."""
        argv = ["/usr/bin/python3", str(XCLIPBOARD), "read"]
        env = {**os.environ, **self.environment(session)}
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=20, check=True).stdout

    @contextmanager
    def copied(self, session: dict[str, Any], text: str) -> Iterator[None]:
        """A program in the session holds this text on its clipboard."""
        env = {**os.environ, **self.environment(session)}
        with subprocess.Popen(["/usr/bin/python3", str(XCLIPBOARD), "own", text], env=env) as program:
            try:
                yield
            finally:
                program.terminate()

    def typed(self, page: Page, name: str) -> bool:
        """Types a command into the program; whether its file appears within three seconds."""
        path = self.server.home / name
        page.keyboard.type(f"touch ~/{name}\n", delay=10)
        try:
            eventually(path.exists, 3, name)
        except AssertionError:
            return False
        return True


def make_desktop(home: Path, colour: str = "#305070") -> None:
    """Puts a small VNC desktop into a home."""
    path = home / ".vnc/xstartup"
    path.parent.mkdir()
    path.write_text(XSTARTUP.format(colour=colour))
    path.chmod(0o755)


def wait_ready(page: Page, timeout: float = 30) -> None:
    """The page says that the picture is alive."""
    try:
        eventually(lambda: ready(page), timeout, "a live picture")
    except AssertionError as error:
        log = page.evaluate("window.qconnect && window.qconnect.log")
        raise AssertionError(f"{error}; the page's log: {log}") from None


def stage(page: Page) -> list[int]:
    """The size that the page has for the picture."""
    return list(page.evaluate("[stage.clientWidth, stage.clientHeight]"))


def client(page: Page, expression: str) -> Any:
    """Something of the HTML5 client in the shown frame; `c` is the client."""
    frame = "document.querySelector('iframe:not(.coming)').contentWindow"
    return page.evaluate(f"(() => {{ const c = {frame}.client; return {expression}; }})()")


def click_picture(page: Page) -> None:
    """A click in the middle of the stage."""
    box = page.locator("#stage").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
