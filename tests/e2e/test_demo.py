"""What a newcomer does: `make demo`, open the URL that it prints, click and see a plot, click and type."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.painted import wait_painted
from tests.support.deadline import eventually
from tests.support.ports import own_port
from tests.support.servers import REPOSITORY, JupyterServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Path]:
    """A running demo; what it prints is in the file."""
    said = tmp_path / "said"
    env = {**JupyterServer(tmp_path).environment(), "PORT": str(own_port())}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "PYTHONPATH"):
        env.pop(name)
    with said.open("wb") as output:
        argv = [sys.executable, str(REPOSITORY / "tests/demo.py")]
        process = subprocess.Popen(argv, env=env, stdout=output, stderr=output, cwd=tmp_path)
    yield said
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    home = JupyterServer(tmp_path)
    for pid in home.leftovers():  # sessions outlive the demo, as they would a login
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not home.leftovers(), 10, "the end of all processes")


def test_the_demo_leads_from_its_url_to_a_plot_and_to_a_terminal(demo: Path, context: BrowserContext) -> None:
    found = eventually(
        lambda: re.search(r"http://\S+", demo.read_text(encoding="utf-8")), 60, "the URL that the demo prints"
    )
    page = context.new_page()
    page.goto(found[0])
    assert viewer_of(context, page, "[title^='The R language']", "R_x11")
    viewer = viewer_of(context, page, "[title^='A terminal window']", "XTerm")
    viewer.bring_to_front()
    viewer.keyboard.type("touch ~/it-works\n", delay=15)
    eventually((demo.parent / "it-works").exists, 10, "the file that the command makes")


def viewer_of(context: BrowserContext, lab: Page, tile: str, window: str) -> Page:
    """The page that a click opens, with this window painted."""
    with context.expect_page() as opened:
        lab.locator(f".jp-LauncherCard{tile}").click(timeout=60000)
    viewer = opened.value
    viewer.wait_for_url("**/qconnect/*/", timeout=20000)
    wait_painted(viewer, window)
    return viewer
