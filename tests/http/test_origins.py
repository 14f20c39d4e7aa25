"""Pages that the site has named come in where Jupyter lets them in, and nowhere else; what a front changes is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from qconnect_web.errors import NotReady
from qconnect_web.pages.rooms import Rooms
from qconnect_web.proxy.log_limit import LINES, Bucket
from tests.security.front import Front, opened
from tests.support.jupyter_here import BASE

SESSION = f"{BASE}qconnect/17.local"
LIVE, DISPLAY, JUPYTERS = f"{SESSION}/live", f"{SESSION}/ws/viewer-0001", f"{BASE}api/events/subscribe"
BEHIND = {LIVE: 429, DISPLAY: 409}
"""What is answered behind our doors in these tests: too many pages, and no display yet."""
PORTAL = "https://portal.example"
SETTINGS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a name": {"allow_origin": PORTAL},
    "another name": {"allow_origin": "https://other.example"},
    "any": {"allow_origin": "*"},
    "a name and a pattern": {"allow_origin": "https://other.example", "allow_origin_pat": re.compile("https://.*")},
    "a pattern": {"allow_origin_pat": re.compile(r"https://([a-z]+\.)?portal\.example")},
}
ORIGINS = [
    PORTAL,
    "HTTPS://Portal.example",
    "https://lab.portal.example",
    "https://portal.example.evil.example",
    "https://portal.example:8443",
    "http://portal.example",
    "https://evil.example",
    "https://portal.example@evil.example",
    "null",
]


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with opened(tmp_path_factory.mktemp("home")) as front:
        yield front


@pytest.fixture(autouse=True)
def _a_log_that_takes_lines(front: Front) -> None:
    front.quiet._bucket = Bucket(LINES)


def opens(front: Front, path: str, origin: str | None) -> bool:
    """Whether a page of that origin gets past the door, with its user's cookie."""
    headers = {"Cookie": front.cookie(), **({"Origin": origin} if origin else {})}
    with front.websocket(path, headers) as wire:
        answer = wire.answer()
    assert answer.status in (BEHIND.get(path, 101), 403), answer
    return answer.status != 403


@pytest.mark.filterwarnings("ignore:allow_origin_pat:UserWarning")  # Jupyter's, on a pattern that fits the beginning
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_named_page_comes_in_exactly_where_jupyter_lets_it_in(
    front: Front, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setattr(Rooms, "__len__", lambda self: 200)
    monkeypatch.setattr(front.manager, "raises", NotReady("Not yet."))
    for name, value in SETTINGS[setting].items():
        monkeypatch.setitem(front.app.web_app.settings, name, value)
    theirs = {origin: opens(front, JUPYTERS, origin) for origin in ORIGINS}
    assert any(theirs.values()) is (setting in ("a name", "any", "a pattern"))
    for path in (LIVE, DISPLAY):
        assert {origin: opens(front, path, origin) for origin in ORIGINS} == theirs
        assert opens(front, path, front.origin)
        assert not opens(front, path, None), "no page, and no token"


def xsrf(front: Front) -> dict[str, str]:
    """What a page of ours sends along."""
    page = front.ask(f"{BASE}qconnect/", {"Cookie": front.cookie()})
    token = re.search(r"_xsrf=([^;]+)", page["Set-Cookie"])
    assert token
    return {"Cookie": f"{front.cookie()}; {token[0]}", "X-XSRFToken": token[1]}


def warnings(front: Front, word: str) -> list[str]:
    return [line for line in front.logged if line.startswith("qconnect: ") and word in line]


def test_a_page_may_ask_why_it_gets_no_websocket(front: Front) -> None:
    assert front.ask(LIVE, {**xsrf(front), "Origin": front.origin}, "POST").status == 204
    stranger = front.ask(LIVE, {"Origin": front.origin}, "POST")
    assert stranger.status == 403
    assert stranger.json()["reason"] == "forbidden"
    unknown = front.ask(LIVE.replace("17", "18"), {**xsrf(front), "Origin": front.origin}, "POST")
    assert (unknown.status, unknown.json()["reason"]) == (404, "unknown-session")


@pytest.mark.parametrize("path", [LIVE, f"{BASE}qconnect/api/sessions/17.local/stop"])
def test_a_page_whose_name_a_front_has_changed_is_told_both_names_and_the_log_once(front: Front, path: str) -> None:
    origin = f"https://front.example:{'1' if path == LIVE else '2'}443"
    for _ in range(3):
        answer = front.ask(path, {**xsrf(front), "Origin": origin}, "POST")
        assert (answer.status, answer.json()["reason"]) == (403, "origin")
        words = answer.json()["message"]
        assert f"Origin {origin}" in words
        assert f"Host 127.0.0.1:{front.port}" in words
        assert "administrator" in words
    (line,) = warnings(front, origin)
    assert f"127.0.0.1:{front.port}" in line
    assert line.endswith("pass both on."), "cut off"


def test_a_page_whose_origin_a_front_has_taken_away_is_told(front: Front) -> None:
    answer = front.ask(LIVE, xsrf(front), "POST")
    assert (answer.status, answer.json()["reason"]) == (403, "origin")
    assert "Origin none" in answer.json()["message"]


def test_what_is_no_name_is_not_repeated(front: Front) -> None:
    answer = front.ask(LIVE, {**xsrf(front), "Origin": "https://<script>.example"}, "POST")
    assert "Origin (no name)" in answer.json()["message"]


def test_a_stranger_writes_no_name_into_the_log(front: Front) -> None:
    with front.websocket(LIVE, {"Origin": "https://stranger.example"}) as wire:
        assert wire.answer().status == 403
    assert warnings(front, "stranger") == []


def test_an_upgrade_that_a_front_has_eaten_is_in_the_log_once(front: Front) -> None:
    for _ in range(2):
        answer = front.ask(LIVE, {"Cookie": front.cookie(), "Origin": front.origin})
        assert (answer.status, answer.json()["reason"]) == (400, "no-upgrade")
    (line,) = warnings(front, "no Upgrade")
    assert front.origin in line


def test_the_log_holds_so_many_names_and_no_more(front: Front) -> None:
    for number in range(40):
        front.ask(LIVE, {**xsrf(front), "Origin": f"https://number{number}.example"}, "POST")
    assert len(warnings(front, "Origin")) <= 32
