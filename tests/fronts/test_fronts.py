"""Real nginx and real Apache in front: what works, and what a page and the log say of what does not."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fronts.visitor import Visitor
from tests.support.reverse_proxies import NAME, PREFIX, Apache, NamedServer, Nginx, ReverseProxy
from tests.support.servers import JupyterServer

Served = tuple[JupyterServer, str]
Change = Callable[[str], str]
"""What a site's administrator has made of the page's block."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, browser_code: None) -> Iterator[Served]:
    """A server behind a front, and a session that is ready."""
    server = NamedServer(tmp_path_factory.mktemp("home"), prefix=PREFIX).start()
    yield server, server.wait_for(server.launch()["id"], "READY")["id"]
    server.close()


@pytest.fixture
def front(tmp_path: Path, served: Served) -> Iterator[Callable[[type[ReverseProxy], Change], ReverseProxy]]:
    opened: list[ReverseProxy] = []

    def start(kind: type[ReverseProxy], change: Change) -> ReverseProxy:
        found = kind(tmp_path / "front", served[0].origin)
        opened.append(found)
        return found.start(change(found.block()))

    yield start
    for found in opened:
        found.close()


def visitor(front: ReverseProxy, server: JupyterServer, origin: str = "") -> Visitor:
    return Visitor(origin or front.origin, PREFIX, server.token, front.port, front.trust()).login()


def swap(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def as_it_is(text: str) -> str:
    return text


def header(line: str) -> Change:
    return swap("proxy_http_version", f"proxy_set_header {line}; proxy_http_version")


PACKED = "proxy_buffering on; gzip on; gzip_proxied any; gzip_min_length 1; gzip_types *; location"
WORKING = {
    "nginx": (Nginx, as_it_is),
    "nginx that compresses and buffers": (Nginx, swap("location", PACKED)),
    "apache": (Apache, as_it_is),
}


@pytest.mark.parametrize("row", WORKING)
def test_the_pages_block_works(
    served: Served, front: Callable[[type[ReverseProxy], Change], ReverseProxy], row: str
) -> None:
    server, session = served
    browser = visitor(front(*WORKING[row]), server)
    page = browser.ask(f"qconnect/{session}/", headers={"Accept-Encoding": "gzip"})
    assert page.status == 200
    text = gzip.decompress(_whole(page)).decode() if "gzip" in page["Content-Encoding"] else page.body.decode()
    script = re.search(rf'{PREFIX}(qconnect/static/\w+/viewer\.js)"', text)
    assert script
    packed = browser.ask(script[1], headers={"Accept-Encoding": "gzip"})
    assert (packed.status, packed["Content-Encoding"]) == (200, "gzip"), "packed once, by us"
    assert b"qconnect" in gzip.decompress(_whole(packed))
    heard = browser.heartbeat(session)
    assert isinstance(heard, dict)
    assert heard["session"]["url"] == f"{PREFIX}qconnect/{session}/"
    assert browser.display(session) == 101
    assert browser.ask(f"qconnect/{session}/live", "POST").status == 204


def _whole(answer: Any) -> bytes:
    """The body of an answer, out of its chunks."""
    if "chunked" not in answer["Transfer-Encoding"]:
        return bytes(answer.body)
    body, rest = b"", answer.body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        if not int(size, 16):
            break
    return body


def test_a_host_without_its_port_is_enough_where_the_port_is_the_usual_one(
    served: Served, front: Callable[[type[ReverseProxy], Change], ReverseProxy]
) -> None:
    server, session = served
    browser = visitor(front(Nginx, swap("$http_host", "$host")), server, f"https://{NAME}")
    assert isinstance(browser.heartbeat(session), dict)
    assert browser.display(session) == 101


NO_HOST = swap("proxy_set_header Host $http_host;", "")
CHANGED = {
    "nginx that takes the port away": (Nginx, swap("$http_host", "$host"), NAME),
    "nginx that sends its own Host": (Nginx, NO_HOST, "127.0.0.1:{port}"),
    "apache that sends its own Host": (Apache, swap("PreserveHost On", "PreserveHost Off"), "127.0.0.1:{port}"),
    "nginx that takes the Origin away": (Nginx, header('Origin ""'), None),
    "nginx that makes an Origin of its own": (Nginx, header("Origin https://other.example"), None),
}


@pytest.mark.parametrize("row", CHANGED)
def test_a_front_that_changes_host_or_origin_is_told_to_the_page_and_to_the_log(
    served: Served, front: Callable[[type[ReverseProxy], Change], ReverseProxy], row: str
) -> None:
    server, session = served
    kind, change, host = CHANGED[row]
    found = front(kind, change)
    browser = visitor(found, server)
    seen = f"Host {(host or f'{NAME}:{found.port}').format(port=server.port)}"
    before = len(server.log)
    for _ in range(2):
        assert browser.heartbeat(session) == 403
    assert browser.display(session) == 403
    why = browser.ask(f"qconnect/{session}/live", "POST")
    assert (why.status, why.json()["reason"]) == (403, "origin")
    assert seen in why.json()["message"]
    assert "administrator" in why.json()["message"]
    lines = [line for line in server.log[before:].splitlines() if "refused a page" in line]
    assert len(lines) == 1, lines
    assert seen.replace("Host ", "at Host ") in lines[0]


EATEN = {
    "nginx": (Nginx, swap("proxy_set_header Upgrade $http_upgrade;", "")),
    "apache": (Apache, swap("upgrade=websocket ", "")),
}


@pytest.mark.parametrize("row", EATEN)
def test_a_front_that_eats_the_upgrade_is_in_the_log(
    served: Served, front: Callable[[type[ReverseProxy], Change], ReverseProxy], row: str
) -> None:
    server, session = served
    found = front(*EATEN[row])
    browser = visitor(found, server)
    before = len(server.log)
    assert browser.heartbeat(session) == 400
    assert browser.heartbeat(session) == 400
    assert browser.ask(f"qconnect/{session}/live", "POST").status == 204, "the page may have one"
    lines = [line for line in server.log[before:].splitlines() if "no Upgrade header" in line]
    assert len(lines) == 1, lines
    assert found.origin in lines[0]


def test_a_front_by_http_1_0_lets_no_message_through(
    served: Served, front: Callable[[type[ReverseProxy], Change], ReverseProxy]
) -> None:
    """It answers 101, and then cuts the line: a page must not open it for ever."""
    server, session = served
    browser = visitor(front(Nginx, swap("proxy_http_version 1.1;", "")), server)
    answer, wire = browser.websocket(f"qconnect/{session}/live")
    with wire:
        assert (answer.status, wire.receive(1)) == (101, b"")
