"""A request for the websocket of a session's display, from the check to the pump, in the order in which it goes.

`prepare` has checked the name it came by, who asks, and from whose page. Here its session is found and a place taken;
it is held until the session is ready; a line is opened to the display; the browser is answered 101; and both ends are
given to the pump.
"""

from __future__ import annotations

import asyncio
from functools import partial

from jupyter_server.auth.decorator import allow_unauthenticated, authorized, ws_authenticated
from tornado.iostream import IOStream, StreamClosedError

from ..errors import Forbidden, NotReady, UpstreamFailed
from ..http.base import answers
from ..values.session import Session
from .activity import note_input
from .dial import tune
from .display_line import Line, open_line
from .handler import DisplayHandler
from .headers import Upgrade
from .metrics import OPENING, UPGRADES
from .places import Place

HOLD_S = 50.0
"""Seconds that a websocket's upgrade may wait for its session; below the 60 s after which web servers give up."""
WRITE_S = 10.0


class DisplayWebsocket(DisplayHandler):
    """A page of ours asks, or a program that brings a token."""

    opens_websocket = True
    _place: Place | None = None

    @answers
    @ws_authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # its types break with an action: typing is more than "read"
    async def get(self, job_id: str, viewer: str) -> None:
        await self._open(job_id, viewer)

    head = get

    async def _open(self, job_id: str, viewer: str) -> None:
        """As `_opened`, which is noted."""
        upgrade = Upgrade.of(self.request.headers)
        with self.audited("open", job=job_id) as deed:
            deed.session = await self.find_session(job_id)
            await self._opened(deed.session, viewer, upgrade)

    async def _opened(self, session: Session, viewer: str, upgrade: Upgrade) -> None:
        """Holds the upgrade until the session is ready, proves its display, and hands both connections over."""
        place = self._place = self.site.places.enter(session.record.key, viewer)
        try:
            found = await place.hold(self._reach(session, upgrade))
            if found is None:
                raise NotReady(f"The websocket was given up: {place.over}.", reason="given-up")
            await self._hand_over(place, *found)
        except BaseException:
            self.site.places.leave(place)
            raise

    async def _reach(self, session: Session, upgrade: Upgrade) -> tuple[Session, Line, bytes]:
        """As `_line`; the page will be told why, if there is none."""
        troubles = self.site.troubles
        try:
            found = await self._line(session.id, upgrade)
        except (UpstreamFailed, Forbidden) as error:
            troubles.note(session.record.key, error)
            if isinstance(error, UpstreamFailed):
                self.site.sessions.lost(session)
            raise
        troubles.clear(session.record.key)
        self.site.sessions.reached(session)
        return found

    async def _line(self, job_id: str, upgrade: Upgrade) -> tuple[Session, Line, bytes]:
        """The session when it is ready, a line to its display, and the 101 for the browser."""
        relay = self.site.places.relay
        browser = getattr(self.request.connection, "stream", None)
        if browser is not None and type(browser) is IOStream:
            starting = asyncio.ensure_future(relay.ready())  # while the session is waited for
            starting.add_done_callback(lambda done: done.cancelled() or done.exception())
        session, endpoint = await self.endpoint(job_id, HOLD_S)
        with OPENING.time():
            return session, *await open_line(session, endpoint, upgrade, relay, browser)

    async def _hand_over(self, place: Place, session: Session, line: Line, head: bytes) -> None:
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
            self.site.places.leave(place)
            return
        UPGRADES.labels("opened").inc()
        page = "Origin" in self.request.headers  # a program's has none
        on_input = None if page else partial(note_input, self.settings)
        hung_up = partial(self.site.sessions.lost, session)
        self.site.places.join(place, session, browser, line, on_input, hung_up)

    def on_connection_close(self) -> None:
        """The browser left before it got its answer."""
        if self._place:
            self._place.end("the browser left")
        super().on_connection_close()

    def refuse(self, status: int, message: str, reason: str) -> None:
        """Answers with an error, and counts it."""
        if not self._finished:
            UPGRADES.labels(reason).inc()
        super().refuse(status, message, reason)


class TicketWebsocket(DisplayWebsocket):
    """The same for a page whose files come from a node; any origin, as its own is opaque."""

    @allow_unauthenticated  # `prepare` has seen the ticket
    @answers
    async def get(self, job_id: str, viewer: str, ticket: str) -> None:
        await self._open(job_id, viewer)

    head = get
