"""Bounds against floods: lines in the log, and requests for a session's websocket."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from jupyter_server import CallContext

LINES = 60
"""Lines that requests for displays may leave in the log at once, and the number that come back within a minute."""
LOGGERS = ("tornado.general", "tornado.application")


class Bucket:
    """So many at once, refilled within a minute; 0: no limit."""

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size, self._clock = size, clock
        self._left, self._at = float(size), clock()

    def take(self) -> bool:
        """Whether one more is within the bound."""
        now = self._clock()
        self._left = min(self._size, self._left + (now - self._at) * self._size / 60)
        self._at = now
        if self._size and self._left < 1:
            return False
        self._left -= 1
        return True

    @property
    def full(self) -> bool:
        """Whether nothing was taken for a minute."""
        return self._clock() - self._at > 60


class Quiet(logging.Filter):
    """Lets a bounded number of lines pass that requests to `flood_prone` handlers cause, whoever writes them.

    Anybody who reaches the server's port may ask for a websocket, and each refusal is a line or two of Jupyter's.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bucket, self._left_out = Bucket(LINES), 0

    def guard(self, log: logging.Logger) -> None:
        """Filters the server's log, and Tornado's own."""
        for logger in (log, *map(logging.getLogger, LOGGERS)):
            logger.addFilter(self)

    def release(self, log: logging.Logger) -> None:
        """Takes the filter away."""
        for logger in (log, *map(logging.getLogger, LOGGERS)):
            logger.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        if record.levelno <= logging.DEBUG or not getattr(handler, "flood_prone", False):
            return True
        if not self._bucket.take():
            self._left_out += 1
            return False
        if self._left_out:
            record.msg = f"{record.getMessage()} ({self._left_out} lines about displays were left out before this one)"
            record.args, self._left_out = (), 0
        return True
