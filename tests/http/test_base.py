"""The one base of all that answers HTTP: the same rule at each door, and refusals of one shape."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from tornado import httputil

from qconnect_web import api, pages, proxy
from qconnect_web.errors import UnknownSession
from qconnect_web.http.base import QConnectHandler
from qconnect_web.pages.echo import EchoHandler
from qconnect_web.pages.live import LiveHandler
from qconnect_web.proxy.websockets import DisplayWebsocket
from tests.security.front import Front, opened
from tests.support.jupyter_here import BASE, Jupyter

ROUTES: list[tuple[str, type[QConnectHandler]]] = [*api.HANDLERS, *proxy.HANDLERS, *pages.HANDLERS]
SESSION = f"{BASE}qconnect/17.local"
WEBSOCKETS = [f"{SESSION}/live", f"{SESSION}/ws/viewer-0001", f"{BASE}qconnect/echo"]


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with opened(tmp_path_factory.mktemp("home")) as front:
        yield front


@pytest.mark.parametrize(("pattern", "kind"), ROUTES)
def test_each_address_has_the_one_base(pattern: str, kind: type[QConnectHandler]) -> None:
    assert issubclass(kind, QConnectHandler)
    assert kind.auth_resource == "qconnect"
    assert kind.check_host is QConnectHandler.check_host
    assert kind.write_error is QConnectHandler.write_error
    websocket = "/ws/" in pattern or pattern.endswith(("/live", "echo"))
    assert kind.opens_websocket is websocket, "only websockets go by the rule for websockets"


def admits(kind: type[QConnectHandler], origin: str | None, *, token: bool, header: bool, protocol: str) -> bool:
    """What the rule says of a request for a websocket of this kind at `http(s)://hub.org:8000`."""
    headers = httputil.HTTPHeaders({"Host": "hub.org:8000"})
    headers.update({"Origin": origin} if origin else {})
    headers.update({"Authorization": "token x"} if header else {})
    request = SimpleNamespace(headers=headers, protocol=protocol)
    asked = SimpleNamespace(
        opens_websocket=kind.opens_websocket, request=request, token_authenticated=token, settings={}
    )
    return kind.check_origin(asked)  # type: ignore[arg-type]  # all that the rule looks at


@pytest.mark.parametrize("kind", [LiveHandler, DisplayWebsocket, EchoHandler])
@pytest.mark.parametrize(
    ("origin", "token", "header", "protocol", "admitted"),
    [
        ("http://hub.org:8000", False, False, "http", True),
        ("https://hub.org:8000", False, False, "http", True),  # somebody before us ended TLS
        ("http://hub.org:8000", False, False, "https", False),
        ("http://hub.org", False, False, "http", False),
        ("http://hub.org:8000/page", False, False, "http", False),
        ("http://x@hub.org:8000", False, False, "http", False),
        ("ftp://hub.org:8000", False, False, "http", False),
        ("null", False, False, "http", False),
        ("https://evil.example", True, True, "http", False),  # a token is no leave for another page
        (None, True, True, "http", True),
        (None, True, False, "http", False),  # in the address, where a link may have it
        (None, False, True, "http", False),
        (None, False, False, "http", False),
    ],
)
def test_every_websocket_goes_by_the_same_rule(
    kind: type[QConnectHandler], origin: str | None, token: bool, header: bool, protocol: str, admitted: bool
) -> None:
    assert admits(kind, origin, token=token, header=header, protocol=protocol) is admitted


@pytest.mark.parametrize("path", WEBSOCKETS)
def test_a_websocket_is_opened_for_no_token_in_an_address(front: Jupyter, path: str) -> None:
    with front.websocket(f"{path}?token={front.token}") as wire:
        answer = wire.answer()
    assert (answer.status, answer.json()["reason"]) == (403, "origin")


@pytest.mark.parametrize("path", WEBSOCKETS)
def test_a_stranger_is_refused_a_websocket_and_sent_nowhere(front: Jupyter, path: str) -> None:
    assert front.ask(path).status == 403
    with front.websocket(path, {"Origin": front.origin}) as wire:
        assert wire.answer().status == 403


@pytest.mark.parametrize("path", ["api/apps", "17.local/ws/viewer-0001", "17.local/live"])
def test_a_method_that_an_address_does_not_have_is_refused_in_one_shape(front: Jupyter, path: str) -> None:
    answer = front.ask(f"{BASE}qconnect/{path}", {"Authorization": f"token {front.token}"}, "PUT")
    assert answer.status == 405
    assert answer.json() == {"message": "Method Not Allowed.", "reason": "method-not-allowed"}
    allowed = dict(answer.headers)["Allow"]
    assert "GET" in allowed
    assert "PUT" not in allowed


def test_a_page_says_its_refusals_in_a_plain_word(front: Jupyter) -> None:
    answer = front.ask(f"{BASE}qconnect/static/{'0' * 32}/x.js")
    assert (answer.status, answer.body) == (404, b"404 Not Found\n")


@pytest.mark.parametrize("job_id", ["..", "17.local;x", "a" * 300, "%00", ""])
def test_what_cannot_be_a_job_id_is_not_looked_for(job_id: str) -> None:
    class Sessions:
        async def find(self, job_id: str) -> Any:
            raise AssertionError("it was looked for")

    handler: Any = SimpleNamespace(site=SimpleNamespace(sessions=Sessions()))
    with pytest.raises(UnknownSession):
        asyncio.run(QConnectHandler.find_session(handler, job_id))
