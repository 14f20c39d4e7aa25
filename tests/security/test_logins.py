"""Who has not logged in gets scripts, styles and HTML5 clients, which are the same for everybody, and nothing else."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from tests.security.raw import Raw
from tests.security.test_answers import METHODS
from tests.support.routes import FOR_EVERYBODY

ASKERS: dict[str, dict[str, str]] = {
    "a page that is opened": {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"},
    "a module script": {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "script"},
    "a style": {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "style"},
    "a websocket": {"Sec-Fetch-Mode": "websocket", "Upgrade": "websocket", "Connection": "Upgrade"},
    "a wrong token": {"Authorization": "token wrong"},
    "a wrong cookie": {"Cookie": "username-127-0-0-1=wrong"},
    "no browser": {},
}


@pytest.mark.parametrize("asker", list(ASKERS))
def test_only_files_that_are_the_same_for_everybody_need_no_login(
    table: list[tuple[str, type[Any]]], raw: Raw, asker: str
) -> None:
    for (path, kind), method in product(table, METHODS):
        answer = raw.ask(f"qconnect/{path}", ASKERS[asker], method, auth=False)
        if method not in ("GET", "HEAD"):
            assert answer.status in (403, 404, 405), (method, path, answer)
        elif kind in FOR_EVERYBODY:
            assert answer.status == 200, (method, path, answer)
        else:
            assert answer.status in (302, 403, 405), (method, path, answer)
            assert answer.status != 302 or "/login?next=" in answer.headers["location"], (method, path)


def test_such_a_file_knows_nobody(table: list[tuple[str, type[Any]]], raw: Raw) -> None:
    """Byte for byte what a user gets, with the same policies, and no cookie."""
    same = ("content-type", "content-security-policy", "cache-control", "etag", "vary", "referrer-policy")
    for path, kind in table:
        if kind in FOR_EVERYBODY:
            mine, anybodys = (raw.ask(f"qconnect/{path}", auth=auth) for auth in (True, False))
            assert mine.body == anybodys.body != b""
            assert [mine.headers[name] for name in same] == [anybodys.headers[name] for name in same]
            assert "set-cookie" not in anybodys.headers


@pytest.mark.parametrize("kind", ["static", "client"])
def test_without_a_login_as_well_only_the_manifest_of_a_digest_is_sent(
    table: list[tuple[str, type[Any]]], raw: Raw, kind: str
) -> None:
    (digest,) = [path.split("/")[1] for path, _ in table if path.startswith(f"{kind}/")]
    for path in (f"{'0' * 32}/index.html", f"{digest}/../../pages/live.py", f"{digest}/..%2fclients.py", f"{digest}/x"):
        assert raw.ask(f"qconnect/{kind}/{path}", auth=False).status == 404, path


def test_a_foreign_host_name_is_refused_such_a_file(table: list[tuple[str, type[Any]]], raw: Raw) -> None:
    for path, kind in table:
        if kind in FOR_EVERYBODY:
            assert raw.ask(f"qconnect/{path}", {"Host": "evil.example"}, auth=False).status == 403, path
