"""What the browser may ask of a session's display: its websocket, and by ticket the client's files on its node.

Two ways in. `<job>/ws/<viewer>` wants what every Jupyter request wants, and our own origin to the letter, because
browsers let any page open websockets. `<job>/t/<ticket>/…` is for a page whose files come from a node and which
therefore lives in an opaque origin: it has no cookie (or, in Firefox, one that must not count), so the ticket alone
lets it in, to that one session.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from http.client import responses
from typing import Any

from jupyter_server import CallContext
from jupyter_server.auth.decorator import allow_unauthenticated, authorized, ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server_proxy.handlers import ProxyHandler
from tornado import web
from tornado.iostream import IOStream, StreamClosedError

from ..errors import BadRequest, Forbidden, NotReady, QConnectError, UnknownSession, Unreachable, UpstreamFailed
from ..http.origin import TICKET_PATH, is_known_host, is_own_origin, without_ticket
from ..http.statuses import status_of
from ..transports.endpoint import Endpoint
from ..values.job import JOB_ID
from ..values.session import Session
from .activity import note_input
from .dial import dial, tune
from .display_line import Line, open_line
from .failures import Troubles
from .headers import SAFE_HEADERS, STRICT_CSP, Upgrade, file_path, for_upstream
from .metrics import OPENING, UPGRADES
from .node_files import PAGES, client_on, make_harmless
from .relay_client import Relay
from .websockets import Place, Splices

HOLD_S = 50.0
"""Seconds that a websocket's upgrade may wait for its session; below the 60 s after which web servers give up."""
WRITE_S = 10.0
FILE_S = 30.0


@web.stream_request_body  # a body is refused before it is read, not after
class SessionProxy(ProxyHandler):  # type: ignore[misc]  # jupyter-server-proxy has no type information
    """One request for one session's display."""

    flood_prone = True
    SUPPORTED_METHODS = ("GET", "HEAD")
    auth_resource = "qconnect"
    _place: Place | None = None

    def initialize(self) -> None:
        """Keeps tickets out of everything that is logged: from here on the request's address has none."""
        request = self.request
        if not hasattr(request, "asked_path"):  # jupyter-server-proxy initializes twice
            request.asked_path = request.path
            request.path = without_ticket(request.path)
            request.uri = without_ticket(request.uri)
            if request.path != request.asked_path:
                request.headers.pop("Referer", None)
        self.rewrite_response = (lambda response: make_harmless(response, self._file, request.method),)

    def set_default_headers(self) -> None:
        super().set_default_headers()
        for name, value in {**SAFE_HEADERS, "Content-Security-Policy": STRICT_CSP}.items():
            self.set_header(name, value)

    async def prepare(self) -> None:
        """Lets in whom Jupyter knows, or who holds a ticket for this session."""
        CallContext.set(CallContext.JUPYTER_HANDLER, self)  # as Jupyter's own does: `flood` looks for it
        if self.request.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.request.headers:
            raise web.HTTPError(413, "A display takes no body.")
        ticket = self.path_kwargs.get("ticket")
        if ticket is None:
            await super().prepare()
        elif not self.check_host():  # a foreign name that was made to point here
            raise web.HTTPError(403)
        elif not await self._has_ticket(ticket):
            raise web.HTTPError(403, "The page's ticket is void. Open the session's page again.")

    def check_host(self) -> bool:
        return super().check_host() and is_known_host(self.request, self.settings["qconnect"].hosts)

    def data_received(self, chunk: bytes) -> None:
        """What still comes of a refused body goes nowhere."""

    async def _has_ticket(self, ticket: str) -> bool:
        """Whether the ticket is good for the session in the address; an unknown one costs no look at sessions."""
        tickets, viewer = self.settings["qconnect"].tickets, self.path_kwargs.get("viewer")
        origin = self.request.headers.get("Origin", "null")
        if not tickets.known(ticket) or not (origin == "null" or is_own_origin(origin, self.request)):
            return False
        try:
            session = await self._session(self.path_kwargs["job_id"])
        except UnknownSession:
            return False
        holder = tickets.check(ticket, session.record.key)
        return holder is not None and viewer in (None, holder)

    async def _session(self, job_id: str) -> Session:
        if not JOB_ID.fullmatch(job_id):
            raise UnknownSession("There is no such session. Look at the list of your sessions for those you have.")
        found: Session = await self.settings["qconnect"].sessions.find(job_id)
        return found

    async def _endpoint(self, job_id: str, wait: float) -> tuple[Session, Endpoint]:
        """Where to dial, when the session is ready within `wait` seconds; bounded even if its files hang."""
        try:
            return await asyncio.wait_for(self.settings["qconnect"].sessions.endpoint(job_id, wait), wait + 10)
        except asyncio.TimeoutError:
            raise Unreachable(
                "The session's files did not answer in time. Look whether the cluster's file system is well.",
                reason="timeout",
            ) from None

    @allow_unauthenticated  # `prepare` has seen a ticket; without one, `_own_websocket` wants a user
    async def get(
        self, job_id: str, viewer: str | None = None, ticket: str | None = None, file: str | None = None
    ) -> None:
        try:
            if ticket is None:
                await self._own_websocket(job_id, str(viewer))
            elif viewer is not None:
                await self._websocket(job_id, viewer)
            else:
                await self._pass_file(job_id)
        except QConnectError as error:
            self._refuse(status_of(error), error.message, error.reason)

    @allow_unauthenticated  # as `get`
    async def head(self, job_id: str, **kwargs: str) -> None:
        await self.get(job_id, **kwargs)

    # ------------------------------------------------------------------ websockets
    @ws_authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # its types break with an action: typing is more than "read"
    async def _own_websocket(self, job_id: str, viewer: str) -> None:
        """A page of ours, or a program that brings a token in a header and, unlike any browser, no origin."""
        origin = self.request.headers.get("Origin")
        program = "Authorization" in self.request.headers and self.token_authenticated
        if not (program if origin is None else is_own_origin(origin, self.request)):
            raise Forbidden(
                "Only pages of this server may open a session's display. Open the session's own page.", reason="origin"
            )
        await self._websocket(job_id, viewer)

    async def _websocket(self, job_id: str, viewer: str) -> None:
        """Holds the upgrade until the session is ready, proves its display, and hands both connections over."""
        upgrade = Upgrade.of(self.request.headers)
        session = await self._session(job_id)
        splices: Splices = self.settings["qconnect"].splices
        place = self._place = splices.enter(session.record.key, viewer)
        try:
            found = await place.hold(self._reach(session, upgrade))
            if found is None:
                raise NotReady(f"The websocket was given up: {place.over}.", reason="given-up")
            await self._hand_over(splices, place, *found)
        except BaseException:
            splices.leave(place)
            raise

    async def _reach(self, session: Session, upgrade: Upgrade) -> tuple[Session, Line, bytes]:
        """As `_line`; the page will be told why, if there is none."""
        troubles: Troubles = self.settings["qconnect"].troubles
        try:
            found = await self._line(session.id, upgrade)
        except (UpstreamFailed, Forbidden) as error:
            troubles.note(session.record.key, error)
            if isinstance(error, UpstreamFailed):
                self.settings["qconnect"].sessions.lost(session)
            raise
        troubles.clear(session.record.key)
        self.settings["qconnect"].sessions.reached(session)
        return found

    async def _line(self, job_id: str, upgrade: Upgrade) -> tuple[Session, Line, bytes]:
        """The session when it is ready, a line to its display, and the 101 for the browser."""
        relay: Relay = self.settings["qconnect"].splices.relay
        browser = getattr(self.request.connection, "stream", None)
        if browser is not None and type(browser) is IOStream:
            starting = asyncio.ensure_future(relay.ready())  # while the session is waited for
            starting.add_done_callback(lambda done: done.cancelled() or done.exception())
        session, endpoint = await self._endpoint(job_id, HOLD_S)
        with OPENING.time():
            return session, *await open_line(session, endpoint, upgrade, relay, browser)

    async def _hand_over(self, splices: Splices, place: Place, session: Session, line: Line, head: bytes) -> None:
        """Answers 101 and lets go of the browser's connection; from here on nothing can be refused any more."""
        browser = self.detach()
        try:
            tune(browser.socket)
            written = browser.write(head)
            # Waiting lets Tornado read, and what ends meanwhile would be closed with its last bytes unread.
            if browser.writing():
                await asyncio.wait_for(written, WRITE_S)
        except (StreamClosedError, asyncio.TimeoutError, AttributeError, OSError):  # it left at this very moment
            browser.close()
            line.close()
            splices.leave(place)
            return
        UPGRADES.labels("opened").inc()
        page = "Origin" in self.request.headers  # a program's has none
        on_input = None if page else partial(note_input, self.settings)
        hung_up = partial(self.settings["qconnect"].sessions.lost, session)
        splices.join(place, session, browser, line, on_input, hung_up)

    def on_connection_close(self) -> None:
        """The browser left before it got its answer."""
        if self._place:
            self._place.end("the browser left")
        super().on_connection_close()

    # ------------------------------------------------------------------ files
    async def _pass_file(self, job_id: str) -> None:
        """A file of the client, from the node."""
        if "Upgrade" in self.request.headers or "Service-Worker" in self.request.headers:
            raise BadRequest("This address is for files of the client. Open the session's page.", reason="bad-path")
        self._file = file_path(TICKET_PATH.sub("", self.request.asked_path).partition("/")[2])
        if self._file == "/connect.html":
            self._closed_page()
            return
        session, endpoint = await self._endpoint(job_id, 0)
        stream = await dial(session, endpoint)
        self.settings["qconnect"].sessions.reached(session)
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

    def _closed_page(self) -> None:
        """Our own page where the node's client would show its own: the connection has ended."""
        asset = self.settings["qconnect"].clients.closed_page
        self.set_header("Content-Type", asset.content_type)
        self.set_header("Content-Security-Policy", asset.csp)
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

    # ------------------------------------------------------------------ refusals
    def _refuse(self, status: int, message: str, reason: str) -> None:
        if self._finished:
            return
        if self.path_kwargs.get("viewer"):
            UPGRADES.labels(reason).inc()
        self.clear()
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"message": message, "reason": reason}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors of Jupyter and Tornado in the same shape as ours; nothing of the request is repeated."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        words = getattr(error, "log_message", None) if status_code < 500 else None
        reason = responses.get(status_code, "error")
        self._refuse(status_code, words or f"{reason}.", reason.lower().replace(" ", "-"))


JOB = r"(?P<job_id>[^/]+)"
VIEWER = r"(?P<viewer>[A-Za-z0-9_-]{8,64})"
TICKET = r"(?P<job_id>[^/]+)/t/(?P<ticket>[^/]*)"  # any, so that a mistyped one is kept out of the log as well
HANDLERS: list[tuple[str, type[JupyterHandler]]] = [
    (rf"{JOB}/ws/{VIEWER}", SessionProxy),
    (rf"{TICKET}/ws/{VIEWER}", SessionProxy),
    (rf"{TICKET}(?:/(?P<file>.*))?", SessionProxy),
]
