"""A display reached by ssh, at the page: what ssh asks is shown there, and the answer opens the display."""

from __future__ import annotations

import json
import os
import pwd
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from qconnect_web.private_files import seal
from tests.e2e.desk import Desk, wait_ready
from tests.e2e.painted import wait_painted
from tests.support.deadline import eventually
from tests.support.servers import JupyterServer
from tests.transports.ssh.sshd import SshNodes, children, own_mounts

SECRET = "Zitrone-Kanarie ☃ 0815"
USER = pwd.getpwuid(os.geteuid()).pw_name
PASSWORDS = ("PubkeyAuthentication no", "PasswordAuthentication yes", "KbdInteractiveAuthentication no")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    pytest.mark.skipif(own_mounts() is not None, reason=str(own_mounts())),
]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[SshNodes]:
    found = SshNodes(tmp_path)
    yield found
    found.stop()


@pytest.fixture
def shadow(tmp_path: Path) -> dict[Path, str]:
    """An /etc/shadow in which this user has the secret as a password."""
    argv = ["openssl", "passwd", "-6", "-stdin"]
    done = subprocess.run(argv, input=SECRET, capture_output=True, text=True, check=True, timeout=20)
    path = tmp_path / "shadow"
    path.write_text(f"{USER}:{done.stdout.strip()}:19000:0:99999:7:::\n")
    return {path: "/etc/shadow"}


@pytest.fixture
def desk(tmp_path: Path, nodes: SshNodes) -> Iterator[Desk]:
    (tmp_path / "home").mkdir()
    config = {"QConnect": {"transport": "ssh", "ssh_config": str(nodes.config)}}
    server = JupyterServer(tmp_path / "home", prefix="/a%40b/", config=config)
    try:
        yield Desk(server.start())
    finally:
        server.close()


def elsewhere(desk: Desk, node: str = "node1") -> dict[str, Any]:
    """A session whose display is at another node, as far as anybody can tell from what its job published."""
    session = desk.session()
    (path,) = (desk.server.home / ".local/share/qconnect/sessions").glob("*/connection.json")
    published = json.loads(path.read_bytes().splitlines()[0])
    beside = path.with_name(".moved")
    beside.touch(0o600)
    beside.write_bytes(seal({**published, "node": node}))
    beside.rename(path)
    return session


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Log in to node1")


def open_page(desk: Desk, context: BrowserContext, session: dict[str, Any]) -> Page:
    page = context.new_page()
    page.goto(desk.url(f"{session['id']}/"))
    return page


def ssh_of(server: JupyterServer) -> int:
    """The server's one ssh that is a connection of its own."""
    assert server.process
    words = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in children(server.process.pid)}
    (pid,) = [pid for pid, argv in words.items() if argv[0] == b"ssh" and b"-M" in argv]
    return pid


def test_what_ssh_asks_is_answered_at_the_page_and_the_display_opens(
    desk: Desk, context: BrowserContext, nodes: SshNodes, shadow: dict[Path, str], tmp_path: Path
) -> None:
    node = nodes.add("node1", *PASSWORDS, binds=shadow)
    session = elsewhere(desk)
    page = open_page(desk, context, session)
    expect(dialog(page)).to_be_visible()
    answer = page.get_by_label(f"{USER}@127.0.0.1's password:")
    expect(answer).to_be_focused()
    expect(answer).to_have_attribute("type", "password")
    assert Axe().run(page, context={"include": [["#question"]]}).violations_count == 0
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    answer = page.get_by_label(re.compile("Permission denied, please try again"))
    expect(answer).to_be_focused()
    expect(answer).to_have_value("")
    page.keyboard.insert_text(SECRET)
    page.keyboard.press("Enter")
    wait_painted(page)
    expect(dialog(page)).not_to_be_visible()
    wait_ready(page)
    assert desk.typed(page, "over-ssh")
    assert node.logins() == 1
    leaves_no_trace(page, desk, tmp_path)
    # The connection dies in the middle: the page asks again, and the picture comes back.
    os.kill(ssh_of(desk.server), signal.SIGKILL)
    page.get_by_label(f"{USER}@127.0.0.1's password:").fill(SECRET, timeout=20_000)
    page.keyboard.press("Enter")
    wait_ready(page)
    assert desk.typed(page, "over-ssh-again")
    assert node.logins() == 2


def leaves_no_trace(page: Page, desk: Desk, tmp_path: Path) -> None:
    """The answer is in no file, no process's arguments or environment, and not in the page any more."""
    needle = SECRET.encode()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if needle in path.read_bytes()]
    for entry in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                assert needle not in (entry / name).read_bytes()
            except OSError:
                continue
    kept = "JSON.stringify([location.href, {...sessionStorage}, {...localStorage}, window.qconnect.log])"
    assert SECRET not in page.evaluate(kept)
    assert SECRET not in page.content()
    assert page.evaluate("document.getElementById('question-answer').value") == ""


def test_who_cancels_is_told_and_may_try_again(
    desk: Desk, context: BrowserContext, nodes: SshNodes, shadow: dict[Path, str]
) -> None:
    node = nodes.add("node1", *PASSWORDS, binds=shadow)
    page = open_page(desk, context, elsewhere(desk))
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).not_to_be_visible()
    expect(page.locator("#room-line")).to_contain_text("was not answered")
    attempts = node.log.count("Connection from")
    page.wait_for_timeout(3000)  # the page goes on trying, ssh does not
    assert node.log.count("Connection from") == attempts
    page.get_by_role("button", name="Try again").click()
    expect(dialog(page)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(dialog(page)).not_to_be_visible()
    page.reload()  # who opens the page wants the display
    expect(dialog(page)).to_be_visible()


def test_a_host_key_is_refused_in_words_at_the_page(desk: Desk, context: BrowserContext, nodes: SshNodes) -> None:
    nodes.add("node1", known=False)
    page = open_page(desk, context, elsewhere(desk))
    expect(page.locator("#room-line")).to_contain_text("The host key of node1 is not known")
    expect(dialog(page)).not_to_be_visible()
    with nodes.known_hosts.open("a") as file:
        file.write(nodes.servers["node1"].known())
    page.get_by_role("button", name="Try again").click()
    wait_painted(page)


def test_a_fingerprint_is_confirmed_by_buttons_where_the_site_lets_it(
    tmp_path: Path, context: BrowserContext, nodes: SshNodes, server_that_asks: Callable[[], Desk]
) -> None:
    node = nodes.add("node1", known=False)
    desk = server_that_asks()
    page = open_page(desk, context, elsewhere(desk))
    expect(dialog(page)).to_contain_text(node.fingerprint())
    expect(page.locator("#question-answer")).to_be_hidden()
    no = page.get_by_role("button", name="No", exact=True)
    expect(no).to_be_focused()  # a key pressed too early must not accept it
    page.get_by_role("button", name="Yes, it is the right one").click()
    wait_painted(page)


def test_a_question_takes_no_key_from_the_page_around(
    context: BrowserContext, nodes: SshNodes, server_that_asks: Callable[[], Desk]
) -> None:
    nodes.add("node1", known=False)
    desk = server_that_asks()
    around = desk.panel(context, elsewhere(desk))
    field = around.locator("textarea")
    field.focus()
    page = around.frame_locator("iframe")
    asked = page.get_by_role("dialog", name="Log in to node1")
    expect(asked).to_be_visible()
    expect(field).to_be_focused()
    asked.click(position={"x": 5, "y": 5})
    expect(page.get_by_role("button", name="No", exact=True)).to_be_focused()


@pytest.fixture
def server_that_asks(tmp_path: Path, nodes: SshNodes) -> Iterator[Callable[[], Desk]]:
    servers = []

    def start() -> Desk:
        (tmp_path / "asking").mkdir()
        settings = {"transport": "ssh", "ssh_config": str(nodes.config), "ssh_unknown_hosts": "ask"}
        servers.append(JupyterServer(tmp_path / "asking", config={"QConnect": settings}))
        return Desk(servers[-1].start())

    yield start
    for server in servers:
        server.close()


def test_two_tabs_show_the_same_question_and_one_answer_serves_both(
    desk: Desk, context: BrowserContext, nodes: SshNodes, shadow: dict[Path, str]
) -> None:
    nodes.add("node1", *PASSWORDS, binds=shadow)
    session = elsewhere(desk)
    first, second = open_page(desk, context, session), open_page(desk, context, session)
    for page in (first, second):
        eventually(lambda page=page: page.locator("#question").is_visible(), 10, "the question in both tabs")
    first.locator("#question-answer").fill(SECRET)
    first.keyboard.press("Enter")
    expect(dialog(second)).not_to_be_visible()
    wait_painted(first)
