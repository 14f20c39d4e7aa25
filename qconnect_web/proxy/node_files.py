"""Fetches one file of the client from a session's node, over a connection that is proved, and makes it harmless."""

from __future__ import annotations

from http.client import responses
from typing import Any, cast

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server_proxy.handlers import ProxyHandler
from tornado import web
from tornado.iostream import IOStream
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.tcpclient import TCPClient

from ..clients.csp import csp
from ..clients.xpra import inject_agent
from ..errors import BadRequest, UpstreamFailed
from ..http.base import answers
from ..http.headers import STRICT_CSP
from ..http.origin import TICKET_PATH
from .dial import MAX_HEAD, dial
from .handler import DisplayHandler
from .headers import file_path, for_browser, for_upstream

FILE_S = 30.0
MAX_FILE = 16 * 1024 * 1024
"""Bytes of the largest file that passes; those of xpra's clients stay below 2 MB."""
PAGES = ("/", "/index.html")
PASSED = (200, 304, 404)


class NodeFile(DisplayHandler, ProxyHandler):  # type: ignore[misc]  # jupyter-server-proxy has no type information
    """A file of the client, from the node, for whoever holds a ticket."""

    def initialize(self) -> None:
        """As there; and has the node's answer looked at before it is passed on."""
        super().initialize()
        self.rewrite_response = (lambda response: make_harmless(response, self._file, self.request.method),)

    @allow_unauthenticated  # `prepare` has seen the ticket
    @answers
    async def get(self, job_id: str, ticket: str, file: str | None = None) -> None:
        if "Upgrade" in self.request.headers or "Service-Worker" in self.request.headers:
            raise BadRequest("This address is for files of the client. Open the session's page.", reason="bad-path")
        self._file = file_path(TICKET_PATH.sub("", self.asked_path).partition("/")[2])
        if self._file == "/connect.html":
            self._closed_page()
            return
        session, endpoint = await self.endpoint(job_id, 0)
        stream = await dial(session, endpoint)
        self.site.sessions.reached(session)
        self._client = client_on(stream)
        self.request.headers["Accept"] = "*/*"  # or jupyter-server-proxy may stream what must be looked at whole
        try:
            await self.proxy("localhost", 0, self._file)
        except web.HTTPError as error:
            raise UpstreamFailed(
                "The session's display did not send a file of its client as it should. Reload the page."
            ) from error
        finally:
            self._client.close()

    head = get

    def _closed_page(self) -> None:
        """Our own page where the node's client would show its own: the connection has ended."""
        asset = self.site.clients.closed_page
        self.set_header("Content-Type", asset.content_type)
        self.set_header("Content-Security-Policy", asset.csp or STRICT_CSP)
        self.finish(asset.body)

    async def _proxy_buffered(self, host: str, port: int, proxied_path: str, body: bytes | None, client: Any) -> None:
        """jupyter-server-proxy's, on the connection that is proved instead of one that its client would dial."""
        client.close()
        await super()._proxy_buffered(host, port, proxied_path, body, self._client)

    def _build_proxy_request(self, host: str, port: int, proxied_path: str, body: bytes | None, **options: Any) -> Any:
        """jupyter-server-proxy's, without the headers that it adds about us."""
        request = super()._build_proxy_request(host, port, proxied_path, body, **options)
        request.headers = for_upstream(self.request.headers, page=self._file in PAGES)
        return request

    def get_client_uri(self, protocol: str, host: str, port: int, proxied_path: str) -> str:
        """The address for the node: the file alone, no query of the browser's."""
        return f"http://qconnect-server{proxied_path}"

    def proxy_request_options(self) -> dict[str, Any]:
        return {"follow_redirects": False, "connect_timeout": FILE_S, "request_timeout": FILE_S}


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
