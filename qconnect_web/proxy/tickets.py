"""Tickets: what a page in an origin of its own has instead of a cookie, good for one session and nothing else.

They live in memory only; after a restart of the server the viewer's page asks for a new one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

LIFETIME_S = 12 * 3600.0
"""Seconds since its last use after which a ticket is void."""
MAX_TICKETS = 1024


@dataclass
class _Grant:
    session: str
    run: str
    viewer: str
    used: float


class Tickets:
    """Issues tickets and tells whose they are; only their SHA-256 is kept, so a look-up leaks nothing by its time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._grants: OrderedDict[bytes, _Grant] = OrderedDict()

    def issue(self, session_key: str, run: str, viewer: str) -> str:
        """A new ticket (256 random bits) for one viewer of one run; voids those of the session's other runs."""
        for digest, grant in list(self._grants.items()):
            if grant.session == session_key and grant.run != run:
                del self._grants[digest]
        ticket = secrets.token_urlsafe(32)
        self._grants[_digest(ticket)] = _Grant(session_key, run, viewer, self._clock())
        while len(self._grants) > MAX_TICKETS:
            self._grants.popitem(last=False)  # the one that was not used for the longest time
        return ticket

    def check(self, ticket: str, session_key: str) -> str | None:
        """The viewer that holds this ticket for this session, or None; its lifetime starts anew."""
        grant = self._valid(ticket)
        if grant is None or not hmac.compare_digest(grant.session.encode(), session_key.encode()):
            return None
        grant.used = self._clock()
        self._grants.move_to_end(_digest(ticket))
        return grant.viewer

    def known(self, ticket: str) -> bool:
        """Whether the ticket is good for any session: strangers are turned away before anything is looked up."""
        return self._valid(ticket) is not None

    def _valid(self, ticket: str) -> _Grant | None:
        digest = _digest(ticket)
        grant = self._grants.get(digest)
        if grant and self._clock() - grant.used > LIFETIME_S:
            del self._grants[digest]
            return None
        return grant


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogateescape")).digest()
