"""What another web page can make a logged-in browser send changes nothing: every route of the package is tried."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from qconnect_web.api.base import ApiHandler
from qconnect_web.api.installation import NowhereHandler
from qconnect_web.proxy.handler import DisplayHandler
from tests.security.conftest import Browser
from tests.security.raw import Raw
from tests.support.deadline import eventually
from tests.support.servers import JupyterServer

EVIL = "https://evil.example"
CHANGES = ("POST", "PUT", "PATCH", "DELETE")
BODY = b'{"app": "xterm"}'
FORM = b"app=xterm"


def tricks(server: JupyterServer, browser: Browser) -> dict[str, tuple[dict[str, str], bytes]]:
    """What is sent: headers and body. Only the last two have the secret of our own pages, and still are refused."""
    cookie, own = {"Cookie": browser.cookie}, {"Origin": server.origin, "X-XSRFToken": browser.xsrf}
    json, form = {"Content-Type": "application/json"}, {"Content-Type": "application/x-www-form-urlencoded"}
    return {
        "no XSRF token": ({**cookie, **json, "Origin": server.origin}, BODY),
        "evil Origin": ({**cookie, **json, "Origin": EVIL, "Referer": f"{EVIL}/"}, BODY),
        "no-cors": ({**cookie, "Content-Type": "text/plain", "Origin": EVIL, "Sec-Fetch-Mode": "no-cors"}, BODY),
        "form body": ({**cookie, **own, **form}, FORM),
        "form body without Origin": ({**cookie, **form, "X-XSRFToken": browser.xsrf}, FORM),
    }


def test_no_other_page_changes_anything(
    server: JupyterServer, session: dict[str, Any], table: list[tuple[str, type[Any]]], browser: Browser, raw: Raw
) -> None:
    before = server.sessions()
    tried = 0
    for path, kind in table:
        for method in CHANGES:
            if method.lower() not in vars(kind):
                continue
            for name, (headers, body) in tricks(server, browser).items():
                tried += 1
                answer = raw.ask(f"qconnect/{path}", headers, method, body, auth=False)
                assert answer.status in (403, 413, 415), (method, path, name, answer)
    assert tried == 8 * 5  # sessions, settings, probes; and two that are sent like changes
    assert [item["id"] for item in server.sessions()] == [item["id"] for item in before]
    assert server.session(session["id"])["state"] == "READY"


@pytest.mark.parametrize("method", [*CHANGES, "OPTIONS"])
def test_no_route_takes_a_method_that_it_does_not_have(
    table: list[tuple[str, type[Any]]], raw: Raw, method: str
) -> None:
    for path, kind in table:
        if method.lower() in vars(kind):
            continue
        answer = raw.ask(f"qconnect/{path}", {"Content-Type": "application/json"}, method)
        if issubclass(kind, DisplayHandler):
            assert answer.status == 405, (path, answer)
        refused = 404 if kind is NowhereHandler else 405
        assert answer.status in ((200, 204, refused) if method == "OPTIONS" else (refused,)), (path, answer)
        if issubclass(kind, ApiHandler) and answer.status == 405:
            assert answer.headers["allow"]


def test_every_change_that_is_asked_for_is_noted(
    server: JupyterServer, session: dict[str, Any], table: list[tuple[str, type[Any]]], browser: Browser, raw: Raw
) -> None:
    """With who asked and from where, also when it is refused; whoever did not get in is not noted."""
    own = {"Cookie": browser.cookie, "Origin": server.origin, "X-XSRFToken": browser.xsrf}
    audit = server.home / "audit.jsonl"
    sessions = [(path, kind) for path, kind in table if path.startswith("api/sessions")]
    changes = [(path, method) for path, kind in sessions for method in CHANGES if method.lower() in vars(kind)]
    for path, method in changes:
        known = len(audit.read_text().splitlines())
        raw.ask(f"qconnect/{path}", {"Content-Type": "application/json"}, method, BODY, auth=False)
        asked = path.replace(session["id"], "999.local")
        answer = raw.ask(f"qconnect/{asked}", own, method, b'{"app": "no\\u202esuch\\u007fapp"}', auth=False)
        assert answer.status in (400, 404), (path, answer)
        eventually(lambda known=known: audit.read_text().count("\n") > known, what=f"{method} {path} in the file")
        (line,) = audit.read_text().splitlines()[known:]
        noted = json.loads(line)
        assert (noted["from"], noted["uid"]) == ("127.0.0.1", os.getuid())
        assert noted["user"]
        assert noted["result"] == json.loads(answer.body)["reason"]
        assert line.isascii()
        assert line.isprintable()
    assert len(changes) == 3


def test_our_own_page_changes_what_its_user_wants(
    server: JupyterServer, session: dict[str, Any], browser: Browser, raw: Raw
) -> None:
    own = {"Cookie": browser.cookie, "Origin": server.origin, "X-XSRFToken": browser.xsrf}
    answer = raw.ask(f"qconnect/api/sessions/{session['id']}", own, "DELETE", auth=False)
    assert answer.status == 409  # it lives; the request itself was let in
