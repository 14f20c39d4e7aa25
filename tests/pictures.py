"""Takes the pictures of the README and docs from the real thing: `make pictures`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.e2e.painted import wait_painted
from tests.support.servers import REPOSITORY, JupyterServer

IMAGES = REPOSITORY / "docs/images"
SIZE = {"width": 1180, "height": 720}


def launcher(context: BrowserContext, server: JupyterServer) -> Page:
    """JupyterLab's launcher, scrolled to our tiles."""
    lab = context.new_page()
    lab.goto(f"{server.url}lab?reset&token={server.token}")
    tile = lab.locator(".jp-LauncherCard").filter(has_text="XTerm")
    tile.wait_for(timeout=60000)
    lab.locator(".jp-LauncherCard").filter(has_text="Any command").scroll_into_view_if_needed()
    lab.screenshot(path=IMAGES / "launcher.png")
    return lab


def viewer(context: BrowserContext, lab: Page) -> Page:
    """The waiting room, then a painted terminal with something in it."""
    with context.expect_page() as opened:
        lab.locator(".jp-LauncherCard").filter(has_text="XTerm").click()
    page = opened.value
    page.wait_for_url("**/qconnect/*/")
    page.wait_for_function("() => window.qconnect && window.qconnect.log.some(e => e[1] === 'state')")
    page.screenshot(path=IMAGES / "waiting.png")
    wait_painted(page)
    page.bring_to_front()
    page.keyboard.type("clear; echo Job $PBS_JOBID on $HOSTNAME, display $DISPLAY; date\n", delay=10)
    page.wait_for_timeout(1500)
    page.screenshot(path=IMAGES / "viewer.png")
    return page


def failed(context: BrowserContext, server: JupyterServer) -> None:
    """A program that ends with an error, and what the page says of it."""
    script = "echo 'could not open licence file' >&2; sleep 1; exit 3"
    job_id = server.launch("command", command=["bash", "-c", script])["id"]
    server.wait_for(job_id, "FAILED")
    page = context.new_page()
    page.goto(f"{server.url}qconnect/{job_id}/")
    page.get_by_text("exit status 3").first.wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / "failed.png")


def main() -> None:
    """Starts a JupyterLab of its own and takes all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="qconnect-pictures") as folder, sync_playwright() as playwright:
        extensions = Path(folder) / "labextensions"
        extensions.mkdir()
        (extensions / "qconnect-web").symlink_to(REPOSITORY / "qconnect_web/labextension")
        config = {"LabApp": {"expose_app_in_browser": True, "extra_labextensions_path": [str(extensions)]}}
        server = JupyterServer(Path(folder), module="jupyterlab", config=config)
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            server.start()
            context = browser.new_context(viewport=SIZE)
            page = viewer(context, launcher(context, server))
            failed(context, server)
            home = context.new_page()
            home.goto(f"{server.url}qconnect/")
            home.get_by_text("XTerm").first.wait_for()
            home.wait_for_timeout(1000)
            home.screenshot(path=IMAGES / "home.png")
            page.close()
        finally:
            browser.close()
            server.close()


if __name__ == "__main__":
    main()
