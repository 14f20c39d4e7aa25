"""Remembers why a session's display could not be reached just now: a browser does not tell its page why a websocket
was refused, so the page hears it from here."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..errors import QConnectError

KEPT_S = 20.0
MAX_KEPT = 256


@dataclass(frozen=True)
class Trouble:
    """The message for the user and the machine-readable word for it; `at` by the monotonic clock."""

    message: str
    reason: str
    at: float

    def to_json(self) -> dict[str, str]:
        return {"message": self.message, "reason": self.reason}


class Troubles:
    """The last trouble of each session, until it is reached or nobody tries any more."""

    def __init__(self) -> None:
        self._found: dict[str, Trouble] = {}

    def note(self, session_key: str, error: QConnectError) -> None:
        """The session could not be reached."""
        if len(self._found) >= MAX_KEPT:
            self._found.pop(next(iter(self._found)))
        self._found[session_key] = Trouble(error.message, error.reason, time.monotonic())

    def clear(self, session_key: str) -> None:
        """The session was reached, or is to be tried anew."""
        self._found.pop(session_key, None)

    def of(self, session_key: str) -> Trouble | None:
        """Why the session was not reached lately."""
        found = self._found.get(session_key)
        return found if found and time.monotonic() - found.at < KEPT_S else None
