"""The whole journey: a click on a tile, a painted window, every kind of interruption, an end that leaves nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.painted import painted, ready, seconds_until, wait_painted
from tests.support.deadline import eventually
from tests.support.extent import LONG
from tests.support.faults import FaultProxy
from tests.support.servers import JupyterServer, displays, settled, x_traces

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
SILENT_NODE_S = 20
FROZEN_S = 60 if LONG else 15


@pytest.fixture
def network(lab: JupyterServer) -> Iterator[FaultProxy]:
    proxy = FaultProxy(lab.port)
    yield proxy
    proxy.close()


def session_processes(lab: JupyterServer, name: str) -> list[int]:
    return [pid for pid, command in lab.leftovers().items() if name in command]


def click_tile(context: BrowserContext, lab: JupyterServer, network: FaultProxy) -> Page:
    """Opens JupyterLab, clicks XTerm, returns the tab that opens."""
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{network.port}/lab?reset&token={lab.token}")
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.restored.then(() => true)", timeout=60000)
    with context.expect_page() as opened:
        page.locator(".jp-LauncherCard").filter(has_text="XTerm").click()
    viewer = opened.value
    viewer.wait_for_url("**/qconnect/*/", timeout=20000)
    page.close()
    return viewer


def type_line(page: Page, line: str) -> None:
    page.bring_to_front()
    page.keyboard.type(line, delay=15)
    page.keyboard.press("Enter")


def prove_typing(page: Page, home: Path, line: str, name: str | None = None) -> None:
    """Types a command whose file appears in the session's home."""
    type_line(page, f"echo here > ~/{line}")
    eventually((home / (name or line)).exists, 15, f"the file that the command makes: {line}")


def still_picture(page: Page) -> tuple[list[int], int]:
    """Size and inked pixels of the terminal, as soon as two looks in a row see the same."""
    seen: list[tuple[list[int], int]] = []

    def still() -> bool:
        page.wait_for_timeout(300)
        window = painted(page) or {"size": [], "inked": 0}
        seen.append((window["size"], window["inked"]))
        return len(seen) > 1 and seen[-1] == seen[-2] and seen[-1][1] > 0

    eventually(still, 10, "a picture that stands still")
    return seen[-1]


def picture_size(page: Page) -> int:
    return len(page.screenshot(type="png"))


def back(page: Page) -> bool:
    return ready(page) and painted(page) is not None


def cut_websocket(page: Page, network: FaultProxy) -> float:
    """Seconds until it is painted again; no picture in between is blank."""
    usual, smallest = picture_size(page), 1 << 30
    count = len(page.evaluate("() => window.qconnect.log.filter(e => e[1] === 'painted')"))
    network.cut()
    deadline = time.monotonic() + 10
    taken = None
    start = time.monotonic()
    while time.monotonic() < deadline:
        smallest = min(smallest, picture_size(page))
        again = len(page.evaluate("() => window.qconnect.log.filter(e => e[1] === 'painted')")) > count
        if again and back(page):
            taken = time.monotonic() - start
            break
    assert taken is not None, "it did not come back"
    assert smallest > usual * 0.6, "a picture was blank"
    return round(taken, 2)


def restart_server(page: Page, lab: JupyterServer) -> None:
    """Back by itself within five seconds after the server answers again."""
    lab.stop()
    eventually(lambda: not ready(page), 10, "the page's notice that the server is gone")
    lab.start()
    taken = seconds_until(lambda: back(page), 20, "the picture after the restart")
    print(f"server restarted: back {taken:.2f} s after it answered")
    assert taken <= 5


def silence_node(page: Page, lab: JupyterServer) -> None:
    """Told within ten seconds, back within three after the node speaks again."""
    (xpra,) = [pid for pid in session_processes(lab, "xpra") if "start" in lab.leftovers().get(pid, "")][:1]
    os.kill(xpra, signal.SIGSTOP)
    start = time.monotonic()
    told = seconds_until(lambda: not ready(page), 15, "the page's notice that the node is silent")
    while time.monotonic() - start < SILENT_NODE_S:
        page.wait_for_timeout(200)
    os.kill(xpra, signal.SIGCONT)
    taken = seconds_until(lambda: back(page), 15, "the picture after the silence")
    print(f"node silent: told after {told:.2f} s, back {taken:.2f} s after it returned")
    assert told <= 10
    assert taken <= 3


def freeze_browser(page: Page) -> None:
    """After a sleep it works at once, or is back within three seconds."""
    chromium = [process for process in psutil.Process().children(recursive=True) if "chrom" in process.name()]
    assert chromium
    for process in chromium:
        process.suspend()
    time.sleep(FROZEN_S)  # the freeze itself: nothing to wait for
    for process in chromium:
        process.resume()
    taken = seconds_until(lambda: back(page), 15, "the picture after the sleep")
    print(f"browser frozen {FROZEN_S} s: back after {taken:.2f} s")
    assert taken <= 3
    page.wait_for_timeout(1500)
    eventually(lambda: back(page), 3, "that it stays back")


def test_the_whole_journey(context: BrowserContext, lab: JupyterServer, network: FaultProxy) -> None:
    home = lab.home
    eventually(lambda: lab.sessions() == [], 10, "an empty list")
    page = click_tile(context, lab, network)
    wait_painted(page)
    fds, numbers = lab.fds(), displays(home)
    assert x_traces(home, numbers), "what a session has would not be seen"
    prove_typing(page, home, "typed")
    address = page.url
    prove_typing(page, home, "cleared; clear; echo the same content as before", "cleared")
    before = still_picture(page)
    page.close()

    page = context.new_page()
    page.goto(address)
    wait_painted(page)
    eventually(lambda: still_picture(page) == before, 10, f"the same content, {before}")

    taken = [cut_websocket(page, network) for _ in range(3)]
    print(f"websocket cut: painted again after {taken} s")
    assert max(taken) <= 2
    prove_typing(page, home, "after-cut")
    restart_server(page, lab)
    prove_typing(page, home, "after-restart")
    silence_node(page, lab)
    prove_typing(page, home, "after-silence")
    freeze_browser(page)
    prove_typing(page, home, "after-sleep")

    (session,) = lab.sessions()
    assert session["state"] == "READY"
    type_line(page, "exit")
    expect(page.get_by_text("ended", exact=False).first).to_be_visible(timeout=15000)
    ended = lab.wait_for(session["id"], "ENDED")
    assert ended["exit_status"] == 0
    page.close()
    eventually(lambda: not session_processes(lab, "xpra"), 5, "the end of xpra")
    eventually(lambda: not lab.leftovers(), 10, f"the end of every process: {lab.leftovers()}")
    eventually(lambda: not x_traces(home, numbers), 5, "no X locks, sockets, runtime folders")
    assert settled(lambda: lab.fds() <= fds, 1, 20), "files of the server stay open"
