"""Fetches one file of the client from a session's node, over a connection that is proved, and makes it harmless."""

from __future__ import annotations

from http.client import responses
from typing import Any, cast

from tornado.iostream import IOStream
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.tcpclient import TCPClient

from ..clients.xpra import csp, inject_agent
from ..errors import UpstreamFailed
from .dial import MAX_HEAD
from .headers import for_browser

MAX_FILE = 16 * 1024 * 1024
"""Bytes of the largest file that passes; those of xpra's clients stay below 2 MB."""
PAGES = ("/", "/index.html")
PASSED = (200, 304, 404)


class OneConnection:
    """What the HTTP client takes for a dialler: gives out the one connection that has been proved."""

    def __init__(self, stream: IOStream) -> None:
        self._stream = stream

    async def connect(self, *_address: Any, **_options: Any) -> IOStream:
        """The connection, whatever address was asked for."""
        return self._stream

    def close(self) -> None:
        """Closes the connection."""
        self._stream.close()


def client_on(stream: IOStream) -> SimpleAsyncHTTPClient:
    """An HTTP client for one request on this connection; closing it closes the connection."""
    client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=MAX_FILE, max_header_size=MAX_HEAD)
    client.tcp_client.close()
    client.tcp_client = cast(TCPClient, OneConnection(stream))
    return client


def make_harmless(response: Any, path: str, method: str) -> None:
    """Changes a node's answer (`jupyter_server_proxy`'s) into what the browser may get.

    Raises UpstreamFailed for answers that no file has: redirects, demands for a password, errors of the node.
    """
    if response.code not in PASSED:
        raise UpstreamFailed(
            f"The session's display answered {response.code} when it was asked for a file of its client. "
            "Look at the session's log, then reload the page."
        )
    response.reason = responses[response.code]
    response.headers = for_browser(response.headers)
    if response.code == 404:
        response.body = b"There is no such file on the node.\n"
        response.headers["Content-Type"] = "text/plain; charset=utf-8"
        response.headers.pop("Content-Encoding", None)
    elif path in PAGES and method == "GET":
        _make_page(response)


def _make_page(response: Any) -> None:
    """Puts the agent into the client's page, and the page into an origin of its own."""
    if response.code != 200 or "Content-Encoding" in response.headers:
        raise UpstreamFailed("The session's display sent its page in a form that was not asked for. Reload the page.")
    response.body = inject_agent(response.body)
    for name in ("Etag", "Last-Modified"):
        response.headers.pop(name, None)
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = csp(response.body, opaque=True)
