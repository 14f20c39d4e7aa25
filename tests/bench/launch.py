"""Measures launch-to-pixel and its parts: from the click on a tile to the first painted window, in a real browser.

Prints a Markdown table; every figure is a median of the rounds of one run, so shares and ratios can be compared.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY, JupyterServer

ROUNDS = 7
PARTS = {
    "submit": "click → the job is with the scheduler",
    "queue": "→ the scheduler starts the script",
    "script": "→ the script starts the X server and xpra",
    "xpra": "→ xpra says that it is ready",
    "probe": "→ its connection is proved and published",
    "notice": "→ the page knows",
    "first paint": "→ the window is painted (held client)",
    "total": "click → painted",
}
PAINTED = "() => window.qconnect && window.qconnect.log.some(e => e[1] === 'painted')"
OURS = ("submit", "script", "probe", "notice")


def click_time(page: Page) -> None:
    """Has the page note when (epoch, s) its next click happens."""
    page.evaluate(
        """() => addEventListener('click', () => {
          window.clicked = performance.timeOrigin + performance.now();
        }, { capture: true, once: true })"""
    )


def viewer_times(viewer: Page) -> dict[str, float]:
    """Epoch seconds of the page's own events."""
    origin, log = viewer.evaluate("() => [performance.timeOrigin, window.qconnect.log]")
    ready = next(at for at, event, data in log if event == "state" and data == "READY")
    painted = next(at for at, event, _ in log if event == "painted")
    return {"noticed": (origin + ready) / 1000, "painted": (origin + painted) / 1000}


def xpra_times(log: str) -> tuple[float, float]:
    """Epoch seconds of the first line with a time and of the line "xpra is ready" in xpra's own log."""
    stamps = [
        (datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").timestamp(), line)
        for line in log.splitlines()
        if line[:2] == "20" and line[19:20] == ","
    ]
    return stamps[0][0], next(at for at, line in stamps if "xpra is ready" in line)


def runtime_folder(session: Path) -> Path:
    """The folder on the node's own disk of the run that writes into this session folder."""
    return next(who.parent for who in Path("/tmp").glob("qc-*/who") if str(session).encode() in who.read_bytes())


def job_times(server: JupyterServer, job_id: str) -> dict[str, float]:
    """Epoch seconds of what the server and the job wrote down."""
    share = server.home / ".local/share/qconnect"
    number = job_id.partition(".")[0]
    started = json.loads(next(share.glob(f"local/*/jobs/{number}/started.json")).read_text())["time"]
    for folder in (share / "sessions").iterdir():
        if folder.is_dir():
            record = json.loads((folder / "session.json").read_text().splitlines()[0])
            if record["job_id"] == job_id:
                connection = json.loads((folder / "connection.json").read_text().splitlines()[0])
                _, ready = xpra_times((folder / "xpra.log").read_text())
                return {
                    "submitted": record["submitted"],
                    "started": started,
                    "begun": (runtime_folder(folder) / "xvfb.pid").stat().st_mtime,
                    "ready": ready,
                    "published": connection["time"],
                }
    raise AssertionError(f"no folder of {job_id}")


def one_round(context: BrowserContext, lab: Page, server: JupyterServer) -> dict[str, float]:
    """One launch; returns the seconds of each part."""
    click_time(lab)
    with context.expect_page() as opened:
        lab.locator(".jp-LauncherCard").filter(has_text="XTerm").click()
    viewer = opened.value
    viewer.wait_for_url("**/qconnect/*/")
    viewer.wait_for_function(
        "() => window.qconnect && window.qconnect.log.some(e => e[1] === 'painted')", timeout=60000
    )
    job_id = viewer.url.rstrip("/").rpartition("/")[2]
    times = {
        "clicked": lab.evaluate("() => window.clicked") / 1000,
        **job_times(server, job_id),
        **viewer_times(viewer),
    }
    viewer.close()
    server.end(job_id)
    eventually(lambda: not [1 for line in server.leftovers().values() if "Xvfb" in line], 20, "the end of the session")
    steps = ["clicked", "submitted", "started", "begun", "ready", "published", "noticed", "painted"]
    parts = [times[after] - times[before] for before, after in pairwise(steps)]
    return {**dict(zip(PARTS, parts, strict=False)), "total": times["painted"] - times["clicked"]}


def second_open(context: BrowserContext, server: JupyterServer) -> int:
    """Bytes over the network when a session's page is opened for the second time."""
    job_id = server.launch()["id"]
    server.wait_for(job_id, "READY")
    transferred = 0
    for _ in range(2):
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        add: Callable[[dict[str, Any]], None] = lambda event, sizes=sizes: sizes.append(event["encodedDataLength"])  # noqa: E731
        session.on("Network.loadingFinished", add)
        page.goto(f"{server.url}qconnect/{job_id}/")
        page.wait_for_function(
            "() => window.qconnect && window.qconnect.log.some(e => e[1] === 'painted')", timeout=60000
        )
        page.wait_for_timeout(1000)
        transferred = int(sum(sizes))
        page.close()
    server.end(job_id)
    return transferred


def table(rounds: list[dict[str, float]], transferred: int) -> str:
    """The medians as Markdown."""
    medians = {part: statistics.median(found[part] for found in rounds) for part in PARTS}
    lines = ["| part | what | median, s |", "|---|---|---:|"]
    lines += [f"| {part} | {what} | {medians[part]:.2f} |" for part, what in PARTS.items()]
    ours = sum(medians[part] for part in OURS)
    lines += ["", f"Our own share ({' + '.join(OURS)}): {ours:.2f} s, {ours / medians['total']:.0%} of the whole."]
    lines += [f"READY → painted with the held client: {medians['first paint']:.2f} s."]
    lines += [f"Second open of the page: {transferred / 1000:.1f} kB over the network."]
    return "\n".join(lines)


def main() -> None:
    """Runs the rounds and prints the table."""
    with tempfile.TemporaryDirectory(prefix="qconnect-bench") as folder, sync_playwright() as playwright:
        home = Path(folder)
        (home / "labextensions").mkdir()
        (home / "labextensions/qconnect-web").symlink_to(REPOSITORY / "qconnect_web/labextension")
        paths = {"expose_app_in_browser": True, "extra_labextensions_path": [str(home / "labextensions")]}
        server = JupyterServer(home, module="jupyterlab", config={"LabApp": paths})
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        try:
            server.start()
            context = browser.new_context()
            lab = context.new_page()
            lab.goto(f"{server.url}lab?reset&token={server.token}")
            lab.locator(".jp-LauncherCard").filter(has_text="XTerm").wait_for(timeout=60000)
            one_round(context, lab, server)  # caches fill
            rounds = [one_round(context, lab, server) for _ in range(ROUNDS)]
            print(table(rounds, second_open(context, server)))
        finally:
            browser.close()
            server.close()


if __name__ == "__main__":
    main()
