"""No spelling of a path leads out of what is meant to be served, and none is a fault of the server."""

from __future__ import annotations

import http.client
from itertools import product
from typing import Any

import pytest

from tests.security.raw import Raw

DOTS = ["..", "%2e%2e", ".%2e", "%252e%252e", "%c0%ae%c0%ae", "..%00", "..;", "....", "%uff0e%uff0e", "%e0%80%ae."]
BREAKS = ["/", "%2f", "%5c", "\\", "%252f", "//", "%c0%af"]
GOALS = ["etc/passwd", "pages/live.py", "session.json"]
CORPUS = [f"{dots}{brk}" * 6 + goal for dots, brk, goal in product(DOTS, BREAKS, GOALS)]
INSIDE = (b"root:", b"WebSocketHandler", b'"version":')
"""What stands in the files that the corpus is after."""


@pytest.fixture
def folders(table: list[tuple[str, type[Any]]], session: dict[str, Any]) -> list[str]:
    """Where the rest of a path is looked up, one way or another."""
    static = next(path for path, _ in table if path.startswith("static/"))
    client = next(path for path, _ in table if path.startswith("client/"))
    own = [f"{session['id']}/t/nonsense/", "api/apps/", "api/sessions/"]
    return [static.removesuffix("home.js"), client.removesuffix("index.html"), *own]


def test_no_path_of_the_corpus_leads_anywhere(folders: list[str], raw: Raw) -> None:
    assert len(CORPUS) >= 200
    for folder, path in product(folders, CORPUS):
        end = "/icon" if folder == "api/apps/" else "/script" if folder == "api/sessions/" else ""
        try:
            answer = raw.ask(f"qconnect/{folder}{path}{end}")
        except http.client.RemoteDisconnected:  # tornado hangs up on what is no HTTP
            continue
        assert answer.status in (400, 403, 404), (folder, path, answer)
        assert not [word for word in INSIDE if word in answer.body], (folder, path, answer)
