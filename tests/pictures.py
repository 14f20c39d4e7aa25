"""Takes the pictures and the film of the README and docs from the real thing: `make pictures`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.demo import write_apps
from tests.e2e.painted import wait_painted
from tests.support.film import Film
from tests.support.servers import REPOSITORY, JupyterServer

IMAGES = REPOSITORY / "docs/images"
SIZE = {"width": 1180, "height": 720}
PLOT = "R_x11"
"""The X class of R's windows."""
CONSOLE = (200, 400)
"""Where a click gives R's console the keyboard."""
HEIGHTS = "summary(c(volcano))\n"
FAITHFUL = 'plot(faithful, pch = 19, col = "steelblue")\n'


@contextmanager
def lab_server(folder: Path) -> Iterator[JupyterServer]:
    """A JupyterLab of its own with the apps of the demo."""
    extensions = folder / "labextensions"
    extensions.mkdir()
    (extensions / "qconnect-web").symlink_to(REPOSITORY / "qconnect_web/labextension")
    write_apps(folder / "apps")
    lab = {"expose_app_in_browser": True, "extra_labextensions_path": [str(extensions)]}
    config = {"LabApp": lab, "QConnect": {"scheduler": "local", "apps_dirs": [str(folder / "apps")]}}
    server = JupyterServer(folder, module="jupyterlab", config=config)
    try:
        yield server.start()
    finally:
        server.close()


def launcher(context: BrowserContext, server: JupyterServer) -> Page:
    """JupyterLab's launcher, scrolled to our tiles."""
    lab = context.new_page()
    lab.goto(f"{server.url}lab?reset&token={server.token}")
    lab.locator(".jp-LauncherCard").filter(has_text="XTerm").wait_for(timeout=60000)
    lab.locator(".jp-LauncherCard").filter(has_text="Any command").scroll_into_view_if_needed()
    lab.wait_for_timeout(1000)
    lab.screenshot(path=IMAGES / "launcher.png")
    return lab


def first_plot(context: BrowserContext, lab: Page, film: Film) -> Page:
    """A click on R, the waiting room, R with its first plot."""
    tile = lab.locator(".jp-LauncherCard[title^='The R language']")
    film.show(lab, 1.2)
    film.point(lab, tile)
    with context.expect_page() as opened:
        tile.click()
    page = opened.value
    page.wait_for_url("**/qconnect/*/")
    page.wait_for_function("() => window.qconnect && window.qconnect.log.some(e => e[1] === 'state')")
    page.screenshot(path=IMAGES / "waiting.png")
    film.show(page, 1.2)
    wait_painted(page)
    film.show(page, 0.4)
    wait_painted(page, PLOT)
    page.bring_to_front()
    page.wait_for_timeout(2000)
    film.show(page, 2.0)
    page.mouse.click(*CONSOLE)
    film.type(page, HEIGHTS)
    page.wait_for_timeout(1000)
    page.screenshot(path=IMAGES / "r.png")
    film.show(page, 1.5)
    return page


def left_and_found_again(context: BrowserContext, lab: Page, page: Page, film: Film) -> None:
    """Another plot; the tab is closed; the session is found in the side panel and is as it was."""
    film.type(page, FAITHFUL)
    page.wait_for_timeout(1500)
    film.show(page, 2.5)
    page.close()
    lab.bring_to_front()
    film.show(lab, 1.0)
    tab = lab.locator(".jp-SideBar .lm-TabBar-tab[data-id='qconnect-panel']")
    film.point(lab, tab)
    tab.click()
    link = lab.locator("#qconnect-panel .jp-qconnect-session-title").first
    link.wait_for()
    film.show(lab, 0.8)
    film.point(lab, link)
    with context.expect_page() as opened:
        link.click()
    wait_painted(opened.value, PLOT)
    opened.value.wait_for_timeout(1500)
    film.show(opened.value, 3.0)


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


def home(context: BrowserContext, server: JupyterServer) -> None:
    """The page with all sessions and programs, and its form."""
    page = context.new_page()
    page.goto(f"{server.url}qconnect/")
    page.get_by_text("XTerm").first.wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=IMAGES / "home.png")
    page.get_by_role("button", name="R: options").click()
    page.get_by_role("dialog").wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=IMAGES / "form.png")


def main() -> None:
    """Starts a JupyterLab of its own and takes all pictures."""
    IMAGES.mkdir(exist_ok=True)
    film = Film(width=944)
    with (
        tempfile.TemporaryDirectory(prefix="qconnect-pictures") as folder,
        sync_playwright() as playwright,
        lab_server(Path(folder)) as server,
    ):
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport=SIZE)
        lab = launcher(context, server)
        page = first_plot(context, lab, film)
        left_and_found_again(context, lab, page, film)
        failed(context, server)
        home(context, server)
        browser.close()
    film.save(IMAGES / "demo.webp")
    print(f"docs/images/demo.webp: {film.seconds:.0f} s")


if __name__ == "__main__":
    main()
