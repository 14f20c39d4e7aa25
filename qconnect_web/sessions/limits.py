"""What one user may ask of the site, and whether this request is still within it."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from ..errors import TooManyRequests
from . import timings


@dataclass(frozen=True)
class Limits:
    """What one user may ask of the site; the first two know no limit as 0."""

    live: int
    """Live sessions."""
    starts_per_minute: int
    keep_ended_days: float
    """Days for which an ended session is kept."""
    questions_per_minute: int
    """What all of the user's servers and command lines together may ask a batch system about the user's jobs."""


class Allowance:
    """Counts the starts of the last minute against the limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._starts: deque[float] = deque()

    def take(self, live: int) -> None:
        """Takes one start, given how many sessions live; raises TooManyRequests when a limit is reached."""
        now = time.monotonic()
        while self._starts and now - self._starts[0] > timings.STARTS_WINDOW:
            self._starts.popleft()
        if self.limits.live and live >= self.limits.live:
            have = "1 session" if live == 1 else f"{live} sessions"
            raise TooManyRequests(f"You have {have}, as many as this site allows. End one, then try again.")
        if self.limits.starts_per_minute and len(self._starts) >= self.limits.starts_per_minute:
            raise TooManyRequests("Too many sessions were started within a minute. Wait a minute, then try again.")
        self._starts.append(now)
