"""From a session to where its display is dialled, once there is one that may be."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from ..errors import NotReady, Unreachable
from ..transports import Transport
from ..transports.endpoint import Endpoint
from ..values.session import Session, SessionState
from . import timings
from .describe import reason
from .job_cache import JobCache
from .poll import Poll
from .runs import Losses
from .store import Store

NO_DISPLAY = "This terminal session has no display. Run `qconnect` in it: it opens one, or says why there is none."


class Connector:
    """Waits for a session's display; one that was lost waits for the scheduler's word first."""

    def __init__(self, *, transport: Transport, store: Store, poll: Poll, cache: JobCache) -> None:
        self._transport, self._store, self._poll, self._cache = transport, store, poll, cache
        self._losses = Losses(poll.hurry)

    async def endpoint(
        self, job_id: str, timeout: float, find: Callable[[str], Awaitable[Session]]
    ) -> tuple[Session, Endpoint]:
        """Waits until the session that `find` finds is READY; see SessionManager.endpoint."""
        began = time.monotonic()
        with self._poll.observers.watching():
            while True:
                session = await find(job_id)
                if session.state.final:
                    raise NotReady(f"The session has ended. {reason(session) or ''}".strip(), reason="ended")
                ready = session.state is SessionState.READY
                if ready and self._losses.hold(session, began, self._cache.status(session.id).asked):
                    await self._poll.observers.change(timings.LOSS_STEP)
                elif ready:
                    return session, await self._dialled(session)
                elif (left := began + timeout - time.monotonic()) > 0:
                    await self._poll.observers.change(left)
                else:
                    raise NotReady(f"The session is not ready yet. {reason(session) or ''}".strip())

    async def _dialled(self, session: Session) -> Endpoint:
        """Where a READY session's display is dialled."""
        assert session.connection is not None
        if not session.connection.display:
            raise Unreachable(NO_DISPLAY, reason="no-display")
        folder = self._store.folder(session.record.key)
        return await self._transport.endpoint(session, session.connection, folder)

    def lost(self, session: Session) -> None:
        """Its display hung up or cannot be reached: the scheduler is asked before it is dialled again."""
        self._losses.begin(self._poll.known.sessions.get(session.record.key, session))

    def reached(self, session: Session) -> None:
        """Its display answers."""
        self._losses.end(session)
