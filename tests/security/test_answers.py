"""Every answer of the package carries its policies, errors as well, and none sends the browser elsewhere."""

from __future__ import annotations

from itertools import product
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.security.conftest import PREFIX
from tests.security.raw import Raw

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
VARIANTS: dict[str, dict[str, str]] = {
    "as it should be": {"Content-Type": "application/json"},
    "a foreign origin": {"Origin": "https://evil.example"},
    "a foreign host": {"Host": "evil.example"},
    "a form": {"Content-Type": "application/x-www-form-urlencoded"},
    "a bad upgrade": {"Upgrade": "websocket", "Connection": "Upgrade"},
}


def faults(headers: dict[str, str]) -> list[str]:
    """What is missing from an answer."""
    policy = headers.get("content-security-policy", "")
    there = {
        "a policy": "default-src" in policy,
        "frame-ancestors": "frame-ancestors 'self'" in policy,
        "nosniff": headers.get("x-content-type-options") == "nosniff",
        "no-referrer": headers.get("referrer-policy") == "no-referrer",
    }
    return [name for name, found in there.items() if not found]


@pytest.mark.parametrize("auth", [True, False])
@pytest.mark.parametrize("variant", list(VARIANTS))
def test_every_answer_carries_the_policies(
    table: list[tuple[str, type[Any]]], session: dict[str, Any], raw: Raw, variant: str, auth: bool
) -> None:
    missing = {}
    for (path, kind), method in product(table, METHODS):
        if method not in ("GET", "HEAD") and auth and method.lower() in vars(kind):
            body, asked = b"no JSON", path.replace(session["id"], "999.local")  # the session is to live on
        else:
            body, asked = b"", path
        answer = raw.ask(f"qconnect/{asked}", VARIANTS[variant], method, body, auth=auth)
        if found := faults(answer.headers):
            missing[method, path, answer.status] = found
    assert missing == {}


def test_refused_bodies_and_missing_pages_carry_them_too(raw: Raw) -> None:
    for path in (
        "qconnect/999/",
        "qconnect/nonsense/",
        f"qconnect/static/{'0' * 32}/x.js",
        "qconnect/api/apps/no/icon",
    ):
        answer = raw.ask(path)
        assert (answer.status, faults(answer.headers)) == (404, []), path
    answer = raw.ask("qconnect/api/sessions", {"Content-Type": "application/json"}, "POST", b" " * 70000)
    assert (answer.status, faults(answer.headers)) == (413, [])


PAYLOADS = [
    "//evil.example", "/%2fevil.example", "/%5cevil.example", "/\\evil.example", "https:evil.example",
    "https://evil.example", "https:%2f%2fevil.example", "//evil.example%2f..", "///evil.example", "/.evil.example",
    "%0d%0aLocation:%20//evil.example", "%2e%2e//evil.example", "//evil.example@127.0.0.1", "%09//evil.example",
    "javascript:alert(1)", "data:text/html,x", "//%65vil.example", "//evil.example?x=", "//evil.example#",
    "..//evil.example",
]  # fmt: skip
ADDRESSES = ["qconnect?next={}", "qconnect/{}", "{session}?next={}"]


@pytest.mark.parametrize("auth", [True, False])
def test_no_answer_sends_the_browser_elsewhere(session: dict[str, Any], raw: Raw, auth: bool) -> None:
    tried = [
        address.replace("{}", payload).replace("{session}", f"qconnect/{session['id']}")
        for address in ADDRESSES
        for payload in PAYLOADS
    ]
    assert len(set(tried)) == 60
    redirects = 0
    for path in tried:
        answer = raw.ask(path, auth=auth)
        location = answer.headers.get("location")
        if location is not None:
            redirects += 1
            found = urlsplit(location)
            assert (found.scheme, found.netloc) == ("", ""), (path, location)
            assert location.startswith(PREFIX), (path, location)
            assert not location.startswith("//"), (path, location)
    assert redirects >= 20
