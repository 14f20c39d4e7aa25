"""What passes the proxy: nothing of the browser's secrets one way, nothing of a hostile node's wishes the other."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from tornado import httputil

from qconnect_web.errors import BadRequest
from qconnect_web.proxy import node_files
from qconnect_web.proxy.headers import Upgrade, file_path
from tests.support.jupyter_here import BASE, VIEWER, Jupyter, settle
from tests.support.node_server import ACCEPT, KEY, NodeServer, display, http_answer, switch
from tests.support.session_run import Run

Doors = Callable[..., NodeServer]
FORBIDDEN = re.compile(
    rb"^(cookie|authorization|token|_xsrf|x-xsrftoken|referer|origin|x-forwarded-[a-z]+|x-real-ip|x-named|forwarded"
    rb"|x-proxycontextpath|user-agent: browser)\b",
    re.IGNORECASE | re.MULTILINE,
)
PAGE = b"<!doctype html><html><head><title>x</title></head><body onload='go()'><script>1</script></body></html>"


def browser_headers(jupyter: Jupyter, way: str) -> dict[str, str]:
    """All that a browser and the proxies before us may add, and one way to prove who one is."""
    cookie = jupyter.cookie()
    xsrf = re.search(r"_xsrf=([^;]+)", cookie)
    return {
        "X-Forwarded-For": "10.1.2.3",
        "X-Forwarded-Proto": "http",
        "X-Real-IP": "10.1.2.3",
        "Forwarded": "for=10.1.2.3",
        "Referer": f"{jupyter.origin}{BASE}lab?token={jupyter.token}",
        "X-XSRFToken": xsrf[1] if xsrf else "2|none",
        "X-Named": "by the Connection header",
        "User-Agent": "browser",
        "Token": jupyter.token,
        "Cookie": cookie if way == "cookie" else "",
        "Authorization": f"token {jupyter.token}" if way == "header" else "Basic Zm9vOmJhcg==",
    }


def ask_all(jupyter: Jupyter, run: Run, way: str) -> None:
    """A websocket and a file, with everything that must stay here."""
    headers = browser_headers(jupyter, way)
    query = f"?token={jupyter.token}&_xsrf=1"
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    path = f"t/{ticket}/ws/{VIEWER}" if way == "ticket" else f"ws/{VIEWER}"
    origin = "null" if way == "ticket" else jupyter.origin
    upgrade = {**headers, "Origin": origin, "Connection": "Upgrade, X-Named"}
    with jupyter.websocket(f"{BASE}qconnect/17.local/{path}{query}", upgrade) as wire:
        assert wire.answer().status == 101
        wire.connection.sendall(b"x")
        assert wire.receive(1) == b"x"
    for file in ("index.html", "js/Client.js"):
        answer = jupyter.ask(f"{BASE}qconnect/17.local/t/{ticket}/{file}{query}", {**headers, "Connection": "X-Named"})
        assert answer.status == 200, answer.body
    settle(jupyter)


@pytest.mark.parametrize("way", ["cookie", "header", "query", "ticket"])
def test_a_node_sees_no_secret_of_the_browser(jupyter: Jupyter, run: Run, node: Doors, way: str) -> None:
    found = node(display(http_answer(PAGE, kind="text/html")))
    ask_all(jupyter, run, way)
    assert found.dials == 3
    assert FORBIDDEN.findall(found.bytes_heard) == []
    assert jupyter.token.encode() not in found.bytes_heard
    assert b"?" not in found.bytes_heard
    first_lines = [bytes(heard).split(b"\r\n")[0] for heard in found.heard]
    assert first_lines == [b"GET / HTTP/1.1", b"GET /index.html HTTP/1.1", b"GET /js/Client.js HTTP/1.1"]


@pytest.mark.parametrize("hole", ["files", "websocket"])
def test_a_node_would_see_them_without_the_allowlist(
    jupyter: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch, hole: str
) -> None:
    found = node(display(http_answer(PAGE, kind="text/html")))
    if hole == "files":
        monkeypatch.setattr(node_files, "for_upstream", lambda headers, page: headers)
    else:
        of, request, seen = Upgrade.of.__func__, Upgrade.request, {}  # type: ignore[attr-defined]  # a classmethod has it

        def leaky_of(cls: Any, headers: httputil.HTTPHeaders) -> Upgrade:
            seen.update(headers)
            upgrade: Upgrade = of(cls, headers)
            return upgrade

        def leaky_request(self: Upgrade) -> bytes:
            lines = "".join(f"{name}: {value}\r\n" for name, value in seen.items() if name in ("Cookie", "Referer"))
            return request(self)[:-2] + lines.encode() + b"\r\n"

        monkeypatch.setattr(Upgrade, "of", classmethod(leaky_of))
        monkeypatch.setattr(Upgrade, "request", leaky_request)
    ask_all(jupyter, run, "cookie")
    assert FORBIDDEN.findall(found.bytes_heard)


HOSTILE = [
    "Set-Cookie: username-127-0-0-1=stolen; Path=/",
    "Set-Cookie: _xsrf=fixed; Path=/",
    "Access-Control-Allow-Origin: *",
    "Access-Control-Allow-Credentials: true",
    "Service-Worker-Allowed: /",
    "Clear-Site-Data: *",
    "Strict-Transport-Security: max-age=31536000",
    "Refresh: 0; url=https://evil.example/",
    "Content-Security-Policy: script-src *",
    "Location: https://evil.example/",
    "Link: <https://evil.example/x.js>; rel=preload",
    "X-Named: x",
    "Report-To: {}",
    "Alt-Svc: h2=evil.example:443",
]
NAMES = {line.partition(":")[0].lower() for line in HOSTILE}
OURS = {"access-control-allow-origin": "null", "content-security-policy": "sandbox"}
"""Names that an answer of ours has as well, and what ours says."""


def hostile(answer: Any) -> set[str]:
    """Which of the node's wishes reached the browser."""
    return {name for name in NAMES & answer.names if OURS.get(name, "\0") not in answer[name]}


def ask_hostile(jupyter: Jupyter, run: Run, node: Doors, status: str = "200 OK") -> list[Any]:
    extra = "".join(f"{line}\r\n" for line in HOSTILE)
    node(display(http_answer(PAGE, extra, status, "text/html"), switch(extra)))
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    asked = [
        jupyter.ask(f"{BASE}qconnect/17.local/t/{ticket}/{file}", method=method)
        for file in ("", "index.html", "js/Client.js", "other.html")
        for method in ("GET", "HEAD")
    ]
    with jupyter.websocket(f"{BASE}qconnect/17.local/t/{ticket}/ws/{VIEWER}", {"Origin": "null"}) as wire:
        asked.append(wire.answer())
    settle(jupyter)
    return asked


def test_a_browser_sees_no_wish_of_a_hostile_node(jupyter: Jupyter, run: Run, node: Doors) -> None:
    *files_asked, upgrade = ask_hostile(jupyter, run, node)
    for answer in files_asked:
        assert answer.status == 200
        assert hostile(answer) == set()
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
        assert answer["Access-Control-Allow-Origin"] == "null"
    assert upgrade.status == 101
    assert upgrade.names == {"upgrade", "connection", "sec-websocket-accept"}


def test_a_browser_would_see_them_without_the_allowlist(
    jupyter: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_files, "for_browser", lambda headers: headers)
    monkeypatch.setattr(Upgrade, "response", lambda self, answer: answer)
    *files_asked, upgrade = ask_hostile(jupyter, run, node)
    assert len(hostile(files_asked[-1])) >= 12
    assert len(hostile(upgrade)) >= 12


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "401 Password", "500 Oh"])
def test_no_redirect_and_no_demand_passes(jupyter: Jupyter, run: Run, node: Doors, status: str) -> None:
    *files_asked, _ = ask_hostile(jupyter, run, node, status)
    for answer in files_asked:
        assert answer.status == 502
        assert hostile(answer) == set()
        assert b"evil" not in answer.body


def test_the_page_from_a_node_carries_our_agent_and_a_policy_with_its_hashes(
    jupyter: Jupyter, run: Run, node: Doors
) -> None:
    page = next(answer for answer in ask_hostile(jupyter, run, node) if answer.body.startswith(b"<!doctype"))
    assert page.body.index(b"<script>") < page.body.index(b"<title>")
    assert len(page.body) > len(PAGE) + 1000
    assert "'sha256-" in page["Content-Security-Policy"]
    assert "allow-same-origin" not in page["Content-Security-Policy"]
    assert page["Cache-Control"] == "no-store"


def test_a_page_that_was_compressed_unasked_is_refused(jupyter: Jupyter, run: Run, node: Doors) -> None:
    node(display(http_answer(PAGE, "Content-Encoding: gzip\r\n", kind="text/html")))
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    assert jupyter.ask(f"{BASE}qconnect/17.local/t/{ticket}/index.html").status == 502


def test_a_missing_file_is_404_without_the_nodes_words(jupyter: Jupyter, run: Run, node: Doors) -> None:
    node(display(http_answer(b"<script>bad()</script>", status="404 Not Found", kind="text/html")))
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    answer = jupyter.ask(f"{BASE}qconnect/17.local/t/{ticket}/js/none.js")
    assert answer.status == 404
    assert b"bad" not in answer.body
    assert answer["Content-Type"].startswith("text/plain")


def test_a_file_without_end_is_cut_off_and_refused(
    jupyter: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_files, "MAX_FILE", 64 * 1024)
    node(display(http_answer(b"x" * (65 * 1024))))
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    assert jupyter.ask(f"{BASE}qconnect/17.local/t/{ticket}/js/big.js").status == 502


def test_connect_html_is_our_own(jupyter: Jupyter, run: Run, node: Doors) -> None:
    found = node(display())
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    answer = jupyter.ask(f"{BASE}qconnect/17.local/t/{ticket}/connect.html")
    assert answer.status == 200
    assert "sandbox" in answer["Content-Security-Policy"]
    assert found.dials == 0


TRICKS = [
    "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc/passwd", "a%2f..%2f..%2fetc", "../../etc/passwd", "a/../../etc",
    "./index.html", "js/./x.js", "js//x.js", "//evil.example/x", "%00", "x.js%00.png", "..\\..\\etc", "%5c..%5c",
    "%c0%ae%c0%ae/etc", "%252e%252e/etc", "..;/etc", "...%2f", "%2f", "%2F%2Fevil.example", "js/%2e%2e/x", "js/..",
    "js/.", ".", "..", "http:%2f%2fevil.example", "js/x.js%0d%0aSet-Cookie:%20a=b", "%0a", "%20", "%7f", "js/x%ff",
    "a" * 129, "a/" * 600, "%u002e%u002e/", "js/\u00e9".encode().decode("latin-1"), "x|y", "x<y>", "`id`", "$(id)",
    "js/x.js;v=1", "%3f", "%23", "@evil.example:80%2f", "js:x",
]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_with_a_path_reaches_the_node(jupyter: Jupyter, run: Run, node: Doors, trick: str) -> None:
    found = node(display())
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    answer = jupyter.ask(f"{BASE}qconnect/17.local/t/{ticket}/{trick}")
    assert answer.status in (400, 403, 404)
    assert found.bytes_heard == b""


def test_a_trick_would_reach_it_without_the_check(
    jupyter: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = node(display())
    monkeypatch.setattr(node_files, "file_path", lambda raw: "/" + raw.replace("%2f", "/").replace("%2e", "."))
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    jupyter.ask(f"{BASE}qconnect/17.local/t/{ticket}/a%2f%2e%2e%2fetc/passwd")
    assert b"GET /a/../etc/passwd" in found.bytes_heard


@pytest.mark.parametrize("name", ["", "index.html", "js/lib/jquery-ui.min.js", "css/a_b-c.1.css", "icons/x@2x.png"])
def test_plain_names_pass(name: str) -> None:
    assert file_path(name) == f"/{name}"


GOOD = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}
BAD = [
    {"Upgrade": "h2c"},
    {"Connection": "close"},
    {"Sec-WebSocket-Version": "8"},
    {"Sec-WebSocket-Key": ""},
    {"Sec-WebSocket-Key": "short"},
    {"Sec-WebSocket-Key": "A" * 24},
    {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==,x"},
    {"Sec-WebSocket-Protocol": "a b"},
    {"Sec-WebSocket-Protocol": "x" * 4000},
    {"Sec-WebSocket-Extensions": "a\x01b"},
]


@pytest.mark.parametrize("change", BAD)
def test_a_malformed_upgrade_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        Upgrade.of(httputil.HTTPHeaders({**GOOD, **change}))


def test_the_upgrade_for_the_node_is_made_of_constants_and_three_values() -> None:
    offers = {"Sec-WebSocket-Protocol": "binary, base64", "Sec-WebSocket-Extensions": "permessage-deflate; x=1"}
    upgrade = Upgrade.of(httputil.HTTPHeaders({**GOOD, **offers, "Cookie": "a=b"}))
    assert upgrade.accept == ACCEPT
    assert upgrade.request().decode() == (
        "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Host: qconnect-server\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: binary, base64\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate; x=1\r\n\r\n"
    )
