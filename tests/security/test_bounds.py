"""What cannot be read, and what is too much: refused in our words, short in the log, and before it is taken in."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest

from qconnect_web.plain_text import escaped
from qconnect_web.proxy.log_limit import LINES, Bucket
from tests.security.front import Front
from tests.security.raw import Raw
from tests.security.test_front import JSON
from tests.support.deadline import eventually
from tests.support.extent import LONG
from tests.support.jupyter_here import BASE
from tests.support.servers import JupyterServer

SESSIONS, TYPE = "qconnect/api/sessions", {"Content-Type": JSON}
MIB = 1024 * 1024
TRIES = 3334 if LONG else 150
"""Of each kind of request."""


@pytest.fixture
def raw(front: Front) -> Iterator[Raw]:
    with Raw(front) as raw:
        yield raw


@pytest.fixture
def logged(front: Front, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """The lines of the log from here on; the bound on their number is as if nobody had asked for a while."""
    front.quiet._bucket = Bucket(LINES)
    front.app.log.addHandler(caplog.handler)
    yield lambda: [caplog.handler.format(record) for record in caplog.records if record.levelno > logging.DEBUG]
    front.app.log.removeHandler(caplog.handler)


UNREADABLE = ["%ff/", "17.local/live%ff", "%ff/live", "17.local/ws/%ff%ff%ff%ff%ff%ff%ff%ff", "17.local/t/%ff/x"]
UNREADABLE += ["17.local/t/x/%ff", f"static/{'0' * 32}/%ff", "api/sessions/%ff", "no/such/page/%ff", "?token=%ff"]


@pytest.mark.parametrize("path", UNREADABLE)
def test_an_address_that_is_no_text_is_refused_in_our_words(front: Front, raw: Raw, path: str) -> None:
    answer = raw.ask(f"qconnect/{path}", {"Cookie": front.cookie()}, auth=False)
    assert 400 <= answer.status < 500
    assert answer.headers.get("referrer-policy") == "no-referrer"
    assert b"xff" not in answer.body


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "https://[x]:y"])
@pytest.mark.parametrize("path", ["api/sessions", "api/queues", "17.local/live", "17.local/ws/viewer-0001"])
def test_an_origin_that_is_none_is_refused(front: Front, raw: Raw, path: str, origin: str) -> None:
    for asked in ({"Cookie": front.cookie()}, {"Authorization": f"token {front.token}"}):
        answer = raw.ask(f"qconnect/{path}", {**asked, "Origin": origin}, auth=False)
        assert answer.status == 403
        assert "page" in json.loads(answer.body)["message"]


def test_a_page_of_this_name_by_another_scheme_is_another_page(front: Front, raw: Raw) -> None:
    for origin, status in ((f"ftp://127.0.0.1:{front.port}", 403), (front.origin, 200)):
        asked = {"Cookie": front.cookie(), "Origin": origin}
        assert raw.ask(SESSIONS, asked, auth=False).status == status


@pytest.mark.parametrize(
    "body", [b"[" * 30_000, b'{"app":' * 8000, b'{"app": "\xff"}', b'{"app": ' + b"9" * 5000 + b"}"]
)
def test_json_that_cannot_be_read_is_refused_however_deep(raw: Raw, body: bytes) -> None:
    answer = raw.ask(SESSIONS, TYPE, "POST", body)
    assert (answer.status, answer.json()["reason"]) == (400, "bad-request")


def test_a_referer_that_is_none_leaves_no_traceback(raw: Raw, logged: Callable[[], list[str]]) -> None:
    assert raw.ask("qconnect/api/nothing", {"Referer": "http://["}).status == 404
    eventually(lambda: any("404 GET" in line for line in logged()), what="the request's line")
    assert not [line for line in logged() if "Traceback" in line]


def test_an_unreadable_request_is_one_short_line_in_the_log(raw: Raw, logged: Callable[[], list[str]]) -> None:
    raw.ask(f"qconnect/{'%ff' * 5000}/live")
    eventually(lambda: any("400 GET" in line for line in logged()), what="the request's line")
    (line,) = [line for line in logged() if "400 GET" in line]  # that of an earlier request may come late
    assert len(line) < 400


@pytest.mark.timeout(1200 if LONG else 180)
def test_what_is_sent_to_an_address_of_ours_cannot_fill_the_log(raw: Raw, logged: Callable[[], list[str]]) -> None:
    for number in range(TRIES):
        raw.ask(f"qconnect/%ff{number}/live")
        raw.ask(SESSIONS, TYPE, "POST", b"[" * 2000)
        raw.ask(SESSIONS, {"Origin": "http://["})
    written = sum(map(len, logged()))
    print(f"{3 * TRIES} requests: {len(logged())} lines, {written} bytes")
    assert 10 < len(logged()) <= 80 or LONG
    assert written < 20_000


def test_what_is_no_http_cannot_fill_the_log_nor_put_a_secret_there(
    front: Front, logged: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tornado.general")
    lines = [b"Authorization: token canary\x00secret", b"no colon", b"Content-Length: canary, 5"]
    for line in lines * (TRIES // 3 or 1) * 2:
        with socket.create_connection(("127.0.0.1", front.port), timeout=10) as wire:
            wire.sendall(b"GET %sqconnect/ HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n\r\n" % (BASE.encode(), line))
            wire.recv(100)
    assert 0 < len(logged()) <= 160 or LONG
    assert sum(map(len, logged())) < 20_000
    assert not [line for line in logged() if "canary" in line]


@pytest.mark.parametrize("length", ["x", "5, 6, x", "-1", "+5", "1_0", "\u0665", "9" * 5000, ""])
def test_a_length_that_is_no_number_is_refused(front: Front, length: str) -> None:
    for address in ("api/sessions", "", "17.local/live"):
        head = f"POST {BASE}qconnect/{address} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n"
        assert send_much(front.port, head.encode(), b"", 0)[9:12] in (b"400", b"")


def test_a_line_of_the_log_moves_and_hides_nothing() -> None:
    assert escaped("a\x1b[2J\nb\u202ec\u2066\x9b\ud800é") == r"a\x1b[2J\nb\u202ec\u2066\x9b\ud800é"


def test_a_request_cannot_colour_the_log(front: Front, logged: Callable[[], list[str]]) -> None:
    with socket.create_connection(("127.0.0.1", front.port), timeout=10) as line:
        line.sendall(b"GET %sqconnect/api/x\x9b31m HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % BASE.encode())
        assert line.recv(100).startswith(b"HTTP/1.1 403")
    eventually(lambda: any(r"x\x9b31m" in line for line in logged()), what="the request's line")


def send_much(port: int, head: bytes, piece: bytes, times: int) -> bytes:
    """What a server answers within some seconds to one who goes on sending as long as it may."""
    with socket.create_connection(("127.0.0.1", port), timeout=8) as line:
        line.sendall(head)
        with suppress(OSError):
            for _ in range(times):
                line.sendall(piece)
        with suppress(OSError):
            return line.recv(1000)
    return b""


LENGTH, CHUNKED = b"Content-Length: 104857600", b"Transfer-Encoding: chunked"


@pytest.mark.parametrize("address", ["api/sessions", "api/nothing", "", "17.local/live", "17.local/ws/viewer-0001"])
def test_a_body_over_the_limit_is_refused_before_it_is_sent(front: Front, address: str) -> None:
    head = f"POST {BASE}qconnect/{address} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {front.token}\r\n"
    answer = send_much(front.port, head.encode() + LENGTH + b"\r\n\r\n", b"", 0)
    assert answer[9:12] in (b"405", b"413")


@pytest.mark.parametrize("way", [LENGTH, CHUNKED])
def test_four_bodies_of_100_megabytes_cost_no_memory(server: JupyterServer, way: bytes) -> None:
    head = f"POST {server.prefix}{SESSIONS} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {server.token}\r\n"
    start = head.encode() + f"Content-Type: {JSON}\r\n".encode() + way + b"\r\n\r\n"
    piece = b" " * MIB if way == LENGTH else b"100000\r\n" + b" " * MIB + b"\r\n"
    server.request("GET", SESSIONS)
    before = server.rss()
    most = before
    with ThreadPoolExecutor(4) as four:
        answers = [four.submit(send_much, server.port, start, piece, 100) for _ in range(4)]
        while not all(answer.done() for answer in answers):
            most = max(most, server.rss())
            wait(answers, timeout=0.01)
    print(f"{(most - before) / MIB:.1f} MiB more for four bodies, {way.decode()}")
    assert most - before < 16 * MIB
    assert {answer.result()[:12] for answer in answers} <= {b"HTTP/1.1 413", b""}
    assert server.request("GET", SESSIONS).status == 200
