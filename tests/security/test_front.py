"""Each door of the front on its own: what is refused there, and with what policies; quick, for `tests/mutants`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qconnect_web.pages.rooms import Rooms
from tests.proxy.test_websocket_doors import EVIL, LooksOnly
from tests.security.front import Front
from tests.security.raw import Raw
from tests.support.jupyter_here import BASE
from tests.support.routes import doors_open

LIVE = f"{BASE}qconnect/17.local/live"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@pytest.fixture
def raw(front: Front) -> Iterator[Raw]:
    with Raw(front) as raw:
        yield raw


def live(front: Front, headers: dict[str, str]) -> int:
    """The status that a heartbeat's upgrade is answered with."""
    with front.websocket(LIVE, headers) as wire:
        return wire.answer().status


@pytest.mark.parametrize("origin", [EVIL, "null", None])
def test_a_cookie_opens_no_heartbeat_for_another_page(front: Front, origin: str | None) -> None:
    headers = {"Cookie": front.cookie()} | ({"Origin": origin} if origin else {})
    assert live(front, headers) == 403


def test_who_may_only_look_opens_no_heartbeat(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(front.app.web_app.settings, "authorizer", LooksOnly(parent=front.app))
    assert live(front, {"Cookie": front.cookie(), "Origin": front.origin}) == 403


@pytest.mark.parametrize("known_by", [{}, {"Authorization": "token wrong"}, {"Cookie": "username-127-0-0-1=wrong"}])
def test_no_route_lets_a_stranger_in(front: Front, raw: Raw, known_by: dict[str, str]) -> None:
    own = {"Origin": front.origin, "Content-Type": JSON, **known_by}
    asked = lambda method, path, given: raw.ask(f"qconnect/{path}", {**own, **given}, method, auth=False)  # noqa: E731
    assert doors_open(asked, "17.local") == {}


def test_pages_beyond_the_bound_get_no_heartbeat(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rooms, "__len__", lambda self: 200)
    assert live(front, {"Cookie": front.cookie(), "Origin": front.origin}) == 429


def test_an_icon_that_is_opened_as_a_page_can_do_nothing(raw: Raw) -> None:
    answer = raw.ask("qconnect/api/apps/xterm/icon")
    assert answer.status == 200
    rules = [rule.strip() for rule in answer.headers["content-security-policy"].split(";")]
    assert {"default-src 'none'", "sandbox", "frame-ancestors 'self'"} <= set(rules)


def test_a_large_body_is_refused(raw: Raw) -> None:
    answer = raw.ask("qconnect/api/sessions", {"Content-Type": JSON}, "POST", b" " * (64 * 1024 + 1))
    assert answer.status == 413


def test_a_form_is_refused(raw: Raw) -> None:
    answer = raw.ask("qconnect/api/sessions/17.local/stop", {"Content-Type": FORM}, "POST", b"x=1")
    assert answer.status == 415


def test_the_api_lets_no_address_go_on(raw: Raw) -> None:
    assert raw.ask("qconnect/api/sessions/999").headers.get("referrer-policy") == "no-referrer"


@pytest.mark.parametrize(
    "path", ["", "api/apps", "17.local/live", "17.local/ws/viewer-0001", f"static/{'0' * 32}/x.js"]
)
def test_a_foreign_host_name_is_refused(raw: Raw, path: str) -> None:
    assert raw.ask(f"qconnect/{path}", {"Host": "evil.example"}).status == 403
