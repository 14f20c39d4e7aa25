"""The front ends of an environment, and what their consoles say: of this one, or of a cell of tests/matrix.sh."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from tests.e2e.painted import wait_painted
from tests.support.servers import JupyterServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
HERE = Path(sys.executable)
PYTHON = Path(os.environ.get("QCONNECT_CELL", HERE))
"""The Python of the environment that is looked at, with the package and its front ends."""
PLACES = {"lab": "jupyterlab", "tree": "notebook", "nbclassic/tree": "nbclassic"}
"""Where a front end is, below the base URL, and the package that brings it."""


def installed(*names: str) -> list[str]:
    """Which of these packages the environment has."""
    code = "import importlib.util as u, sys; print(*[name for name in sys.argv[1:] if u.find_spec(name)])"
    told = subprocess.run([PYTHON, "-c", code, *names], cwd="/", capture_output=True, text=True, timeout=60, check=True)
    return told.stdout.split()


RUNNING = {
    "lab": ".jp-SideBar [data-id='jp-running-sessions']",
    "tree": ".jp-TreePanel [role='tab']:has-text('Running')",
}
"""What opens the list of all that runs."""
BESIDE_US = installed("jupyter_server_proxy", "jupyter_server_ydoc", "nbclassic", "notebook")
"""Extensions of the server that must get on with us; jupyter-collaboration brings `jupyter_server_ydoc`."""
FRONT_ENDS = [place for place, package in PLACES.items() if installed(package)]


@dataclass
class CellServer(JupyterServer):
    """A server of the environment that is looked at, which knows nothing of this one."""

    def environment(self) -> dict[str, str]:
        mine = super().environment()
        return mine if PYTHON == HERE else {**mine, "PATH": f"{PYTHON.parent}:/usr/bin:/bin", "PYTHONPATH": ""}

    def spawn(self, argv: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        return super().spawn([str(PYTHON), *argv[1:]], log)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, lab_config: dict[str, Any]) -> Iterator[JupyterServer]:
    config = lab_config if PYTHON == HERE else {}
    server = CellServer(tmp_path_factory.mktemp("home"), module="jupyterlab", config=config)
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def page(context: BrowserContext, server: JupyterServer) -> Page:
    page = context.new_page()
    page.goto(f"{server.url}qconnect/?token={server.token}")
    return page


def ours(message: ConsoleMessage) -> bool:
    """Whether a message of the browser's console is a fault of ours: a version, or a warning from or about our code."""
    from_us = "qconnect" in message.text.lower() or "qconnect-web" in message.location["url"]
    return "Unsatisfied version" in message.text or (from_us and message.type in ("warning", "error"))


@pytest.mark.parametrize("place", FRONT_ENDS)
def test_a_front_end_loads_us_without_a_word_in_its_console(page: Page, server: JupyterServer, place: str) -> None:
    said: list[ConsoleMessage] = []
    page.on("console", lambda message: said.append(message))
    page.goto(f"{server.url}{place}")
    page.wait_for_load_state("networkidle")
    if place == "lab":
        page.locator(".jp-LauncherCard").filter(has_text="XTerm").wait_for(timeout=60000)
    assert [message.text for message in said if ours(message)] == []


def test_a_click_on_a_tile_of_jupyterlab_shows_its_window(page: Page, server: JupyterServer) -> None:
    page.goto(f"{server.url}lab?reset")
    with page.context.expect_page() as opened:
        page.locator(".jp-LauncherCard").filter(has_text="XTerm").click(timeout=60000)
    opened.value.wait_for_url("**/qconnect/*/", timeout=20000)
    wait_painted(opened.value)


@pytest.mark.parametrize("place", [place for place in FRONT_ENDS if place in RUNNING])
def test_a_session_is_listed_among_all_that_runs(page: Page, server: JupyterServer, place: str) -> None:
    session = server.launch("xterm")
    page.goto(f"{server.url}{place}")
    page.locator(RUNNING[place]).click(timeout=60000)
    section = page.get_by_role("region", name="QConnect sessions Section")
    section.locator(f"[title*='{session['id']}']").first.wait_for(timeout=30000)
    server.end(session["id"])


@pytest.mark.parametrize("extension", BESIDE_US)
def test_other_extensions_are_loaded_beside_us(server: JupyterServer, extension: str) -> None:
    assert f"{extension} | extension was successfully loaded." in server.log
    assert "qconnect_web | extension was successfully loaded." in server.log
    assert "/qconnect_web/" not in server.log  # as a line of a traceback has it; others may have some of their own


def test_jupyter_server_proxy_serves_what_is_installed_for_it(server: JupyterServer) -> None:
    offered = {one["name"] for one in server.request("GET", "server-proxy/servers-info").json()["server_processes"]}
    assert offered >= ({"rstudio"} if installed("jupyter_rsession_proxy") else set())
