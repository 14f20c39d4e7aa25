"""Under a hub, another user and tokens for other things reach nothing by any route; a new one is tried by itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hub.hub import SECRET, Hub
from tests.hub.visitor import HubVisitor
from tests.support.routes import FOR_EVERYBODY, addresses, doors_open
from tests.support.servers import Answer

pytestmark = [pytest.mark.e2e, pytest.mark.cluster, pytest.mark.timeout(300)]
SCOPES = {
    "her name": ["read:users:name!user=alice"],
    "her activity": ["users:activity!user=alice"],
    "her servers' states": ["read:servers!user=alice"],
    "starting and stopping her servers": ["servers!user=alice"],
    "making tokens for her": ["tokens!user=alice"],
    "who she is": ["read:users!user=alice"],
    "another server of hers": ["access:servers!server=alice/other"],
    "reading all her tokens": ["read:tokens!user=alice"],
}
"""What one of alice's own tokens may be for that is no leave to use her server."""


def let_in(hub: Hub, headers: dict[str, str], query: str = "") -> dict[tuple[str, str], int]:
    """What of alice's server answers a request with these headers."""

    def ask(method: str, path: str, given: dict[str, str]) -> Answer:
        answer = hub.request(method, f"/user/alice/qconnect/{path}{query}", {"Origin": hub.origin, **given, **headers})
        assert SECRET.encode() not in answer.body, (method, path)
        return answer

    return doors_open(ask, hub.ask("alice", "GET", "sessions")["sessions"][0]["id"])


@pytest.fixture(autouse=True)
def server(hub: Hub) -> None:
    hub.start_server("alice")


def test_alice_herself_is_let_in(hub: Hub, session: dict[str, Any]) -> None:
    """By what the others are refused: else these tests would prove nothing."""
    for scope in ("access:servers!user=alice", "access:servers!server=alice/"):
        headers = {"Authorization": f"token {hub.token('alice', [scope])}"}
        answer = hub.request("GET", f"/user/alice/qconnect/api/sessions/{session['id']}", headers)
        assert answer.json()["id"] == session["id"]


@pytest.mark.parametrize("what", list(SCOPES))
def test_a_token_for_something_else_opens_no_route(hub: Hub, session: dict[str, Any], what: str) -> None:
    token = hub.token("alice", SCOPES[what])
    assert let_in(hub, {"Authorization": f"token {token}"}) == {}
    assert let_in(hub, {}, f"?token={token}") == {}


def test_a_token_of_another_user_opens_no_route(hub: Hub, session: dict[str, Any]) -> None:
    token = hub.token("bob", ["access:servers!user=bob", "self"])
    assert let_in(hub, {"Authorization": f"Bearer {token}"}) == {}


def test_the_browser_of_another_user_opens_no_route(hub: Hub, bob: HubVisitor, session: dict[str, Any]) -> None:
    """Not with all its cookies, sent by whatever name and to whatever path."""
    bob.lab().close()
    cookies = {cookie["name"]: cookie["value"] for cookie in bob.context.cookies()}
    assert {"jupyterhub-user-bob", "jupyterhub-session-id"} <= cookies.keys()
    cookies["jupyterhub-user-alice"] = cookies["jupyterhub-user-bob"]
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-XSRFToken": cookies["_xsrf"],
        "Sec-Fetch-Mode": "navigate",
    }
    assert let_in(hub, headers) == {}
    page = bob.view(session)
    assert "403" in page.locator("body").inner_text()
    assert SECRET not in page.content()


def test_nobody_at_all_opens_no_route_but_files_that_are_the_same_for_everybody(
    hub: Hub, session: dict[str, Any]
) -> None:
    assert let_in(hub, {}) == {}
    for path, kind in addresses(session["id"]):
        if kind in FOR_EVERYBODY:
            answer = hub.request("GET", f"/user/alice/qconnect/{path}", {"Sec-Fetch-Mode": "cors"})
            assert (answer.status, "set-cookie" in answer.headers) == (200, False), path
