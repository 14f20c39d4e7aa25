"""Who may open a session's websocket: 403 comes before any look at the node."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.base.handlers import JupyterHandler
from tornado import httputil

from qconnect_web.http import base
from qconnect_web.http.origin import is_own_origin
from qconnect_web.proxy import handler
from qconnect_web.proxy.websockets import DisplayWebsocket
from tests.support.jupyter_here import BASE, VIEWER, Jupyter, settle
from tests.support.node_server import ACCEPT, NodeServer, display
from tests.support.session_run import Run, new_run

EVIL = "https://evil.example"
Doors = Callable[..., NodeServer]
PATH = f"{BASE}qconnect/17.local/ws/{VIEWER}"


def ways_in(jupyter: Jupyter) -> dict[str, dict[str, str]]:
    """The credentials of every row, without the origin."""
    return {
        "nothing": {},
        "cookie": {"Cookie": jupyter.cookie()},
        "token": {"Authorization": f"token {jupyter.token}"},
        "wrong-token": {"Authorization": "token " + "0" * 32},
    }


ROWS = [
    ("cookie", "own", 101),
    ("token", None, 101),
    ("token", "own", 101),
    ("nothing", "own", 403),
    ("nothing", None, 403),
    ("wrong-token", None, 403),
    ("cookie", EVIL, 403),
    ("cookie", "null", 403),
    ("cookie", None, 403),
    ("cookie", "sibling", 403),
    ("cookie", "own-with-path", 403),
    ("cookie", "http://[", 403),
    ("cookie", "https://user@evil.example", 403),
    ("token", EVIL, 403),
    ("token", "null", 403),
]


@pytest.mark.parametrize(("way", "origin", "status"), ROWS)
def test_only_our_own_page_and_token_bearers_come_in(
    jupyter: Jupyter, node: Doors, way: str, origin: str | None, status: int
) -> None:
    found = node(display())
    headers = ways_in(jupyter)[way]
    names = {
        "own": jupyter.origin,
        "sibling": f"http://127.0.0.1:{jupyter.port}0",
        "own-with-path": jupyter.origin + "/x",
    }
    if origin:
        headers["Origin"] = names.get(origin, origin)
    with jupyter.websocket(PATH, headers) as wire:
        answer = wire.answer()
        assert answer.status == status
        if status == 101:
            assert answer["Sec-WebSocket-Accept"] == ACCEPT
            wire.connection.sendall(b"hello")
            assert wire.receive(5) == b"hello"
    assert found.dials == (1 if status == 101 else 0)
    settle(jupyter)


@pytest.mark.parametrize(
    ("origin", "protocol", "own"),
    [
        ("http://hub.org", "http", True),
        ("https://hub.org", "http", True),  # somebody before us ended TLS
        ("https://hub.org", "https", True),
        ("http://hub.org", "https", False),
        ("ftp://hub.org", "http", False),
        ("HTTPS://HUB.org", "https", True),
        ("https://hub.org.evil.example", "https", False),
        ("https://hub.org:444", "https", False),
        ("hub.org", "http", False),
        ("", "http", False),
    ],
)
def test_an_origin_is_ours_only_to_the_letter(origin: str, protocol: str, own: bool) -> None:
    request = SimpleNamespace(protocol=protocol, headers=httputil.HTTPHeaders({"Host": "hub.org"}))
    assert is_own_origin(origin, request) is own  # type: ignore[arg-type]  # the two things that it looks at


def test_a_foreign_page_would_come_in_without_the_origin_check(
    jupyter: Jupyter, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = node(display())
    monkeypatch.setattr(base, "is_own_origin", lambda origin, request: True)
    with jupyter.websocket(PATH, {"Cookie": jupyter.cookie(), "Origin": EVIL}) as wire:
        assert wire.answer().status == 101
    assert found.dials == 1


def test_a_stranger_would_come_in_without_the_login(
    jupyter: Jupyter, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = node(display())
    monkeypatch.setattr(DisplayWebsocket, "get", inspect.unwrap(DisplayWebsocket.get))
    with jupyter.websocket(PATH, {"Origin": jupyter.origin}) as wire:
        assert wire.answer().status == 101
    assert found.dials == 1


def test_a_query_token_without_origin_does_not_open(jupyter: Jupyter, node: Doors) -> None:
    found = node(display())
    with jupyter.websocket(f"{PATH}?token={jupyter.token}") as wire:
        assert wire.answer().status == 403
    assert found.dials == 0


def test_a_foreign_host_name_is_refused(jupyter: Jupyter, node: Doors) -> None:
    found = node(display())
    headers = {"Cookie": jupyter.cookie(), "Origin": "http://rebound.example", "Host": "rebound.example"}
    with jupyter.websocket(PATH, headers) as wire:
        assert wire.answer().status == 403
    assert found.dials == 0


def test_a_ticket_under_a_foreign_host_name_is_refused(jupyter: Jupyter, run: Run, node: Doors) -> None:
    found = node(display())
    ticket = ticket_for("own", jupyter, run)
    headers = {"Origin": "null", "Host": "rebound.example"}
    with jupyter.websocket(f"{BASE}qconnect/17.local/t/{ticket}/ws/{VIEWER}", headers) as wire:
        assert wire.answer().status == 403
    assert found.dials == 0


class LooksOnly(Authorizer):
    """A site's rule by which users may look and nothing else."""

    def is_authorized(self, handler: JupyterHandler, user: Any, action: str, resource: str) -> bool:
        return action == "read"


def test_who_may_only_look_opens_no_display(jupyter: Jupyter, node: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    found = node(display())
    monkeypatch.setitem(jupyter.app.web_app.settings, "authorizer", LooksOnly(parent=jupyter.app))
    with jupyter.websocket(PATH, {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}) as wire:
        assert wire.answer().status == 403
    assert found.dials == 0


def test_an_unknown_session_is_404_and_an_address_that_is_none_too(jupyter: Jupyter, node: Doors) -> None:
    found = node(display())
    for job in ("18.local", "18", "nonsense", "17.local%00", "-1"):
        with jupyter.websocket(f"{BASE}qconnect/{job}/ws/{VIEWER}", ways_in(jupyter)["token"]) as wire:
            answer = wire.answer()
            assert (answer.status, answer.json()["reason"]) in ((404, "unknown-session"), (400, "bad-request")), job
    assert found.dials == 0


def test_a_number_alone_and_brackets_name_a_session(jupyter: Jupyter, run: Run, node: Doors) -> None:
    node(display())
    with jupyter.websocket(f"{BASE}qconnect/17/ws/{VIEWER}", ways_in(jupyter)["token"]) as wire:
        assert wire.answer().status == 101
    with jupyter.websocket(f"{BASE}qconnect/17%5B4%5D.local/ws/{VIEWER}", ways_in(jupyter)["token"]) as wire:
        assert wire.answer().status == 404
    settle(jupyter)


TICKETS = [
    ("own", "null", 101),
    ("own", "own", 101),
    ("own", EVIL, 403),
    ("wrong", "null", 403),
    ("expired", "null", 403),
    ("other-session", "null", 403),
    ("older-run", "null", 403),
    ("other-viewer", "null", 403),
    ("empty", "null", 403),
]


def ticket_for(kind: str, jupyter: Jupyter, run: Run) -> str:
    """A ticket of one kind or another; only "own" is good for this session."""
    if kind == "other-session":
        return jupyter.tickets.issue(new_run(run.store, "18.local").key, "run", VIEWER)
    if kind == "other-viewer":
        return jupyter.tickets.issue(run.key, run.run, "viewer-0002")
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    if kind == "expired":
        for grant in jupyter.tickets._grants.values():
            grant.used -= 13 * 3600
    if kind == "older-run":
        jupyter.tickets.issue(run.key, "the next run", VIEWER)
    return {"wrong": secrets.token_urlsafe(32), "empty": ""}.get(kind, ticket)


@pytest.mark.parametrize("with_cookie", [False, True])
@pytest.mark.parametrize(("kind", "origin", "status"), TICKETS)
def test_a_ticket_opens_its_own_session_and_nothing_else(
    jupyter: Jupyter, run: Run, node: Doors, kind: str, origin: str, status: int, with_cookie: bool
) -> None:
    found = node(display())
    ticket = ticket_for(kind, jupyter, run)
    headers = {"Origin": jupyter.origin if origin == "own" else origin}
    if with_cookie:  # Firefox sends it, and it must change nothing
        headers["Cookie"] = jupyter.cookie()
    with jupyter.websocket(f"{BASE}qconnect/17.local/t/{ticket}/ws/{VIEWER}", headers) as wire:
        assert wire.answer().status == status
    file = jupyter.ask(f"{BASE}qconnect/17.local/t/{ticket}/js/x.js", headers)
    assert (file.status == 403) == (status == 403 and kind != "other-viewer")
    if status == 403 and kind != "other-viewer":
        assert found.dials == 0
    settle(jupyter)


def test_a_ticket_can_be_used_again_until_it_expires(jupyter: Jupyter, run: Run, node: Doors) -> None:
    node(display())
    ticket = ticket_for("own", jupyter, run)
    for _ in range(3):
        with jupyter.websocket(f"{BASE}qconnect/17.local/t/{ticket}/ws/{VIEWER}", {"Origin": "null"}) as wire:
            assert wire.answer().status == 101
    settle(jupyter)


@pytest.mark.parametrize("defended", [True, False])
def test_a_ticket_is_in_no_log(
    jupyter: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(handler, "without_ticket", lambda address: address)
    node(display())
    ticket = ticket_for("own", jupyter, run)
    jupyter.logged.clear()
    tail = f"t/{ticket}/js/none.js?x=1"
    for path in (f"17.local/{tail}", f"99.local/{tail}", f"17.local/t/{ticket}", f"17.local/t/{ticket}/%2e%2e"):
        referer = f"{jupyter.origin}{BASE}qconnect/17.local/t/{ticket}/index.html"
        jupyter.ask(f"{BASE}qconnect/{path}", {"Referer": referer})
        jupyter.ask(f"{BASE}qconnect/{path}", {"Referer": referer}, "POST")
    assert jupyter.logged
    assert any(ticket in line for line in jupyter.logged) != defended


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_405(jupyter: Jupyter, run: Run, node: Doors, method: str) -> None:
    found = node(display())
    ticket = ticket_for("own", jupyter, run)
    for path in (f"ws/{VIEWER}", f"t/{ticket}/index.html", f"t/{ticket}/ws/{VIEWER}"):
        answer = jupyter.ask(f"{BASE}qconnect/17.local/{path}", {"Cookie": jupyter.cookie()}, method)
        assert answer.status == 405
    assert found.dials == 0
