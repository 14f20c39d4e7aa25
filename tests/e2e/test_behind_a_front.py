"""Pages behind real nginx: painted and typed in through TLS and a sub-path, and what they do when it changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect

from tests.e2e.desk import Desk, wait_ready
from tests.e2e.firefox import Firefox
from tests.e2e.painted import events, ready
from tests.support.deadline import eventually
from tests.support.reverse_proxies import NAME, PREFIX, NamedServer, Nginx
from tests.support.servers import REPOSITORY

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
ARTEFACTS = REPOSITORY / "tests/artefacts"
HUB = json.loads((REPOSITORY / "tests/data/recordings/jupyterhub-6.1.1.json").read_text(encoding="utf-8"))
SITE = """server {{
  listen 443 ssl; server_name jupyter.example.org;
  ssl_certificate /etc/ssl/certs/jupyter.example.org.pem; ssl_certificate_key /etc/ssl/private/jupyter.example.org.key;
  {}
}}"""
STOPPED = f"""location {PREFIX} {{ return 302 /hub$request_uri; }}
  location /hub/ {{ default_type application/json; return 424 '{HUB["stopped-api"]["out"]}'; }}"""
NOT_OURS = {
    "404": "location / { return 404; }",
    "502": "location / { proxy_pass http://127.0.0.1:1; }",
    "503": "location / { return 503; }",
}
LOGINS = {
    "401": "location / { return 401; }",
    "its own login": "location / { return 302 /login; } location /login { return 200 'Who are you?'; }",
    "another site": "location / { return 302 https://login.example.org/; }",
}


class HubServer(NamedServer):
    """A server that believes that a hub has started it."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "JUPYTERHUB_USER": "alice", "JUPYTERHUB_BASE_URL": "/"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, browser_code: None) -> Iterator[Desk]:
    server = HubServer(tmp_path_factory.mktemp("home"), prefix=PREFIX).start()
    yield Desk(server)
    server.close()


@pytest.fixture
def front(tmp_path: Path, desk: Desk) -> Iterator[Nginx]:
    found = Nginx(tmp_path / "nginx", desk.server.origin)
    found.start()
    yield found
    found.close()


@pytest.fixture(scope="module")
def knowing(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """A browser that knows where the front is."""
    arguments = [*browser_type_launch_args["args"], f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
    browser = browser_type.launch(**{**browser_type_launch_args, "args": arguments})
    yield browser
    browser.close()


@pytest.fixture
def outside(knowing: Browser) -> Iterator[BrowserContext]:
    """Somebody elsewhere; the test's own authority is none of Chromium's."""
    context = knowing.new_context(ignore_https_errors=True)
    yield context
    context.close()


@pytest.fixture
def come(desk: Desk, front: Nginx, outside: BrowserContext) -> Callable[[str], Page]:
    """Opens a page through the front."""

    def open_page(path: str) -> Page:
        page = outside.new_page()
        page.goto(f"{front.url}qconnect/{path}?token={desk.server.token}")
        return page

    return open_page


@pytest.fixture
def page(come: Callable[[str], Page], session: dict[str, Any]) -> Page:
    """The session's page, painted."""
    found = come(f"{session['id']}/")
    wait_ready(found)
    return found


def shoot(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(ARTEFACTS / f"front-{name}.png"))


def comes_back(desk: Desk, front: Nginx, page: Page, name: str) -> None:
    """With the front as it was, the same page paints anew and can be typed into."""
    before = len(events(page, "painted"))
    front.change()
    eventually(lambda: len(events(page, "painted")) > before and ready(page), 60, "another picture")
    assert desk.typed(page, name)


def test_a_window_is_painted_and_typed_into_through_tls_and_a_sub_path(desk: Desk, page: Page) -> None:
    assert page.url.startswith(f"https://{NAME}:")
    assert f"{PREFIX}qconnect/" in page.url
    assert page.evaluate("isSecureContext")
    assert desk.typed(page, "through-nginx")
    shoot(page, "painted")


def test_answers_that_are_not_ours_are_waited_out(desk: Desk, front: Nginx, page: Page) -> None:
    loads: list[str] = []
    page.on("framenavigated", lambda frame: None if frame.parent_frame else loads.append(frame.url))
    for name, site in NOT_OURS.items():
        front.change(SITE.format(site))
        expect(page.locator("#room-line")).to_contain_text("Reconnecting…")
        page.wait_for_timeout(2500)  # nothing else must happen meanwhile
        assert page.evaluate("window.qconnect.state") == "reconnecting", name
        shoot(page, name)
        comes_back(desk, front, page, f"after-{name}")
    assert loads == [], "the page itself was never left"


def test_a_stopped_server_is_said_with_the_way_to_start_it(
    desk: Desk, front: Nginx, page: Page, session: dict[str, Any]
) -> None:
    front.change(SITE.format(STOPPED))
    expect(page.locator("#room-line")).to_have_text("Your Jupyter server is not running.")
    spawn = page.get_by_role("link", name="Start the server")
    expect(spawn).to_be_visible()
    path = f"%2Fjupyter%2Fqconnect%2F{session['id']}%2F"
    expect(spawn).to_have_attribute("href", f"/hub/spawn/alice?next={path}")
    shoot(page, "stopped")
    comes_back(desk, front, page, "after-the-stop")


@pytest.mark.parametrize("login", LOGINS)
def test_one_click_after_a_login_that_is_over_brings_the_same_session_back(
    desk: Desk, front: Nginx, page: Page, login: str
) -> None:
    front.change(SITE.format(LOGINS[login]))
    expect(page.locator("#room-line")).to_have_text("You are no longer logged in here.")
    shoot(page, "logged-out")
    url, button = page.url, page.get_by_role("button", name="Log in")
    expect(button).to_be_visible()
    front.change()  # by now the page may find out by itself, and the button go: it is pressed all the same
    with page.expect_navigation():
        page.evaluate("document.getElementById('login').click()")
    wait_ready(page)
    assert page.url == url
    assert desk.typed(page, f"after-{login.replace(' ', '-')}")


CHANGED = {
    "host": ("proxy_set_header Host $http_host;", "proxy_set_header Host 127.0.0.1:1;"),
    "upgrade": ("proxy_set_header Upgrade $http_upgrade;", ""),
}
"""What a site's administrator has made of the page's block, by what it does."""


def change(front: Nginx, name: str) -> None:
    old, new = CHANGED[name]
    assert old in front.block()
    front.change(front.block().replace(old, new))


def test_a_front_that_changes_host_is_named_by_each_page_with_what_to_tell_the_administrator(
    front: Nginx, come: Callable[[str], Page], session: dict[str, Any]
) -> None:
    change(front, "host")
    page = come(f"{session['id']}/")
    line = page.locator("#room-line")
    expect(line).to_contain_text(f"Origin {front.origin}, Host 127.0.0.1:1.")
    expect(line).to_contain_text(
        "tell your administrator: The proxy in front of Jupyter has to pass Host and Origin on"
    )
    shoot(page, "host")
    page.close()
    home = come("")
    home.locator("[data-app=xterm]").click()
    expect(home.get_by_role("alert")).to_contain_text(f"Origin {front.origin}, Host 127.0.0.1:1.")
    expect(home.get_by_role("alert")).to_contain_text("tell your administrator")
    home.get_by_text("Something does not work?").click()
    expect(home.locator(".jp-qconnect-findings")).to_contain_text("what is in front of it says 127.0.0.1:1.")
    shoot(home, "host-home")


def test_a_front_that_eats_the_upgrade_is_named_by_each_page_with_what_to_tell_the_administrator(
    front: Nginx, come: Callable[[str], Page], session: dict[str, Any]
) -> None:
    change(front, "upgrade")
    page = come(f"{session['id']}/")
    expect(page.locator("#room-line")).to_have_text("The server answers, but no websocket gets through to it.")
    expect(page.locator("#room-note")).to_contain_text("Tell your administrator: The proxy in front of Jupyter")
    shoot(page, "upgrade")
    page.close()
    home = come("")
    home.get_by_text("Something does not work?").click()
    findings = home.locator(".jp-qconnect-findings")
    expect(findings).to_contain_text("No websocket gets through to the server, and displays need one.")
    expect(findings).to_contain_text("proxy_set_header Upgrade $http_upgrade")
    shoot(home, "upgrade-home")


@pytest.mark.long("labextension/src/viewer/reconnection.ts", "qconnect_web/http", "tests/e2e/test_behind_a_front.py")
def test_firefox_says_the_same(desk: Desk, front: Nginx, session: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "firefox").mkdir()
    browser = Firefox(tmp_path / "firefox", at_home=NAME)
    said = "document.getElementById('room-line')?.textContent ?? ''"
    try:
        for name, words in {
            "host": f"Origin {front.origin}, Host 127.0.0.1:1.",
            "upgrade": "no websocket gets",
        }.items():
            change(front, name)
            browser.go(f"{front.url}qconnect/{session['id']}/?token={desk.server.token}")
            eventually(lambda words=words: words in browser.evaluate(said), 40, lambda: browser.evaluate(said))
            browser.shoot(ARTEFACTS / f"front-firefox-{name}.png")
    finally:
        browser.close()
