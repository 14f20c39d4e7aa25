"""What may be asked of a session's display: its websocket, and by ticket the client's files on its node.

Two ways in. `<job>/ws/<viewer>` wants what every Jupyter request wants, and a page of ours. `<job>/t/<ticket>/…` is
for a page whose files come from a node and which therefore lives in an opaque origin: it has no cookie (or, in Firefox,
one that must not count), so the ticket alone lets it in, to that one session.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tornado import web

from ..errors import UnknownSession, Unreachable
from ..http.base import QConnectHandler
from ..http.origin import is_own_origin, without_ticket
from ..transports.endpoint import Endpoint
from ..values.session import Session


class DisplayHandler(QConnectHandler):
    """One request for one session's display."""

    SUPPORTED_METHODS = ("GET", "HEAD")
    asked_path = ""
    """The path as it was sent, with its ticket."""

    def initialize(self) -> None:
        """Keeps tickets out of everything that is logged: from here on the request's address has none."""
        super().initialize()
        request = self.request
        self.asked_path = self.asked_path or request.path  # jupyter-server-proxy initializes twice
        request.path = without_ticket(self.asked_path)
        request.uri = without_ticket(request.uri or "")
        if request.path != self.asked_path:
            request.headers.pop("Referer", None)

    async def prepare(self, **options: Any) -> None:
        """Lets in whom Jupyter knows, or who holds a ticket for this session."""
        self.refuse_body()
        ticket = self.path_kwargs.get("ticket")
        if ticket is None:
            await super().prepare(_redirect_to_login=False, **options)
            return
        self.current_user = None  # a ticket names a session, and nobody
        if not self.check_host():  # a foreign name that was made to point here
            raise web.HTTPError(403)
        if not await self._has_ticket(ticket):
            raise web.HTTPError(403, "The page's ticket is void. Open the session's page again.")

    async def _has_ticket(self, ticket: str) -> bool:
        """Whether the ticket is good for the session in the address; an unknown one costs no look at sessions."""
        tickets, viewer = self.site.tickets, self.path_kwargs.get("viewer")
        origin = self.request.headers.get("Origin", "null")
        if not tickets.known(ticket) or not (origin == "null" or is_own_origin(origin, self.request)):
            return False
        try:
            session = await self.find_session(self.path_kwargs["job_id"])
        except UnknownSession:
            return False
        holder = tickets.check(ticket, session.record.key)
        return holder is not None and viewer in (None, holder)

    async def endpoint(self, job_id: str, wait: float) -> tuple[Session, Endpoint]:
        """Where to dial, when the session is ready within `wait` seconds; bounded even if its files hang."""
        try:
            return await asyncio.wait_for(self.site.sessions.endpoint(job_id, wait), wait + 10)
        except asyncio.TimeoutError:
            raise Unreachable(
                "The session's files did not answer in time. Look whether the cluster's file system is well.",
                reason="timeout",
            ) from None

    def refuse(self, status: int, message: str, reason: str) -> None:
        """Answers with an error, and with nothing that an answer was to have."""
        if not self._finished:
            self.clear()
        super().refuse(status, message, reason)
