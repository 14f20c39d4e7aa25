"""What keeps a server from being stopped as idle: the user at work, not a picture that moves."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, WebSocket

from hatch_build import build_frontend
from tests.e2e.desk import Desk, click_picture, make_desktop, wait_ready
from tests.e2e.painted import events
from tests.e2e.test_viewer import HIDE
from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY, JupyterServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
QUIET_MS = 3000
UNSEEN_MINUTES = 0.05
DISPLAYS = "qconnect_websockets_open"
INKED = """() => {
  let found = 0;
  for (const canvas of document.querySelector('iframe:not(.coming)').contentDocument.querySelectorAll('canvas')) {
    const { width, height } = canvas;
    if (!width || !height) continue;
    const copy = Object.assign(document.createElement('canvas'), { width, height });
    copy.getContext('2d').drawImage(canvas, 0, 0);
    const data = new Uint32Array(copy.getContext('2d').getImageData(0, 0, width, height).data.buffer);
    found += data.filter(pixel => pixel !== data[0]).length;
  }
  return found;
}"""
"""How many pixels of the shown picture have another colour than its first one."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A server whose pages are soon quiet when nobody looks."""
    build_frontend(REPOSITORY)
    home = tmp_path_factory.mktemp("home")
    make_desktop(home)
    server = JupyterServer(home, config={"QConnect": {"unseen_minutes": UNSEEN_MINUTES}}).start()
    yield Desk(server)
    server.close()


def count(desk: Desk, name: str) -> float:
    """One line of the server's metrics."""
    text = desk.server.request("GET", "metrics").body.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def last_activity(desk: Desk) -> str:
    return str(desk.server.request("GET", "api/status").json()["last_activity"])


def bytes_up(desk: Desk) -> float:
    return count(desk, 'qconnect_bytes_total{direction="up"}')


def relays(desk: Desk) -> list[psutil.Process]:
    assert desk.server.process
    children = psutil.Process(desk.server.process.pid).children()
    return [child for child in children if "qconnect_web.relay" in " ".join(child.cmdline())]


def test_a_picture_that_moves_is_no_activity_and_the_mouse_is(desk: Desk, page: Page) -> None:
    page.keyboard.type("while sleep .1; do date +%N; done\n")
    click_picture(page)
    page.wait_for_timeout(QUIET_MS)  # the last of it is told with the next heartbeat
    before, sent = last_activity(desk), bytes_up(desk)
    page.wait_for_timeout(QUIET_MS)  # nothing must happen now
    eventually(lambda: bytes_up(desk) > sent, 15, "the answers to the pictures")
    assert last_activity(desk) == before
    page.mouse.move(300, 300)
    page.mouse.move(320, 320)
    eventually(lambda: last_activity(desk) > before, 5, "the mouse counts")


def test_a_page_comes_back_by_itself_when_the_relay_is_killed(desk: Desk, page: Page) -> None:
    for _ in range(3):
        before = len(events(page, "painted"))
        (relay,) = relays(desk)
        os.kill(relay.pid, signal.SIGKILL)
        eventually(lambda before=before: len(events(page, "painted")) > before, 15, "a new picture")  # type: ignore[misc]  # mypy cannot infer it
    click_picture(page)
    assert desk.typed(page, "after-the-relay")


class Sockets:
    """The websockets of a page and its frames."""

    def __init__(self, page: Page) -> None:
        self._page, self._all = page, list[WebSocket]()
        page.on("websocket", lambda socket: self._all.append(socket))  # Playwright writes on what it is given

    @property
    def opened(self) -> int:
        """How many there were."""
        self._page.evaluate("0")  # has Playwright hear what has happened
        return len(self._all)

    @property
    def open(self) -> int:
        """How many there are, but those of displays: of one in a worker that was ended, Playwright hears no end."""
        self._page.evaluate("0")
        return sum(not socket.is_closed() and "/ws/" not in socket.url for socket in self._all)


def hide(page: Page) -> None:
    """Puts the tab behind others, until it is quiet."""
    before = len(events(page, "resting"))
    page.evaluate(HIDE, True)
    eventually(lambda: len(events(page, "resting")) > before, 30, "the page's notice that nobody looks")


def seconds_back(page: Page) -> float:
    """How long it takes from the first look to the picture, by the page's own clock."""
    before = len(events(page, "painted"))
    page.evaluate(HIDE, False)
    eventually(lambda: len(events(page, "painted")) > before, 20, lambda: f"a picture; {events_of(page)}")
    wait_ready(page)
    return (events(page, "painted")[-1] - events(page, "resting")[-1]) / 1000


def events_of(page: Page) -> list[object]:
    return list(page.evaluate("window.qconnect.log.slice(-20)"))


@pytest.mark.parametrize("app", ["xterm", "vnc"])
def test_a_page_that_nobody_looks_at_has_no_websocket_and_is_back_within_a_second(
    desk: Desk, context: BrowserContext, app: str
) -> None:
    session = desk.session(app)
    page = context.new_page()
    sockets = Sockets(page)
    page.goto(desk.url(f"{session['id']}/"))
    wait_ready(page)
    assert (sockets.open, count(desk, DISPLAYS)) == (1, 1)
    taken = []
    for number in range(3):
        page.wait_for_timeout(500)  # the last of what was drawn
        inked = page.evaluate(INKED)
        hide(page)
        eventually(lambda: not sockets.open and not count(desk, DISPLAYS), 5, "the end of all websockets")
        opened = sockets.opened
        page.wait_for_timeout(QUIET_MS)  # nothing must happen now
        assert sockets.opened == opened
        assert page.evaluate(INKED) > inked / 2 > 0, "the picture has gone"
        taken.append(seconds_back(page))
        assert desk.typed(page, f"seen-again-{app}-{number}")
    print(f"{app}: back {taken} s after the look")
    assert min(taken) <= 1
    desk.server.end(session["id"])


def test_the_page_of_all_sessions_hangs_up_as_well(desk: Desk, context: BrowserContext) -> None:
    page = context.new_page()
    sockets = Sockets(page)
    page.goto(desk.url(""))
    eventually(lambda: sockets.open == 1, 10, "the websocket of events")
    page.evaluate(HIDE, True)
    eventually(lambda: not sockets.open, 15, "its end")
    page.wait_for_timeout(QUIET_MS)  # nothing must happen now
    assert sockets.opened == 1
    page.evaluate(HIDE, False)
    eventually(lambda: sockets.open == 1, 10, "another one")


@pytest.mark.long("qconnect_web/proxy/activity.py", "qconnect_web/pages/live.py", "tests/e2e/test_idle.py")
@pytest.mark.timeout(400)
def test_jupyter_itself_stops_a_server_whose_page_is_not_worked_in_and_no_other(
    tmp_path: Path, context: BrowserContext
) -> None:
    """Though its page is open and seen; Jupyter looks once a minute."""
    build_frontend(REPOSITORY)
    servers = []
    for name in ("forgotten", "worked-in"):
        (tmp_path / name).mkdir()
        servers.append(JupyterServer(tmp_path / name, arguments=("--ServerApp.shutdown_no_activity_timeout=20",)))
    try:
        forgotten, worked_in = (Desk(server.start()) for server in servers)
        seen, used = (desk.view(context, desk.session()) for desk in (forgotten, worked_in))
        moves = iter(range(100, 600))

        def stopped() -> bool:
            used.mouse.move(300, next(moves))
            used.wait_for_timeout(1000)
            assert forgotten.server.process
            return forgotten.server.process.poll() is not None

        eventually(stopped, 180, "the end of the server that nobody works with")
        assert worked_in.server.answers()
        forgotten.server.start()
        wait_ready(seen)
        assert forgotten.typed(seen, "typed-after-the-stop")
    finally:
        for server in servers:
            server.close()
