"""Bounds against floods: lines in the log and their length, and requests for a session's websocket."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from jupyter_server import CallContext

from ..http.base import QConnectHandler
from ..plain_text import escaped

LINES = 60
"""Lines that requests may leave in the log at once, and the number that come back within a minute."""
MAX_LINE = 240
LOGGERS = ("tornado.general", "tornado.application")
NO_HTTP = "Malformed HTTP message"
"""How Tornado begins its line about a request that is none; what follows in quotes may be a header with a secret."""


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
    """Lets a bounded number of lines pass that requests to this package cause, whoever writes them, each of them short.

    So it does with those about requests that cannot be told whose they are, as they are no HTTP.

    Anybody who reaches the server's port may ask for anything, and each refusal is a line or two of Jupyter's.
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
        no_http = str(record.msg).startswith(NO_HTTP)  # Jupyter gives the loggers of Tornado its own name
        ours = isinstance(CallContext.get(CallContext.JUPYTER_HANDLER), QConnectHandler)
        if record.levelno <= logging.DEBUG or not (ours or no_http):
            return True
        if not self._bucket.take():
            self._left_out += 1
            return False
        whole = escaped(record.getMessage().partition("'")[0] if no_http else record.getMessage())
        record.msg, record.args = whole if len(whole) <= MAX_LINE else f"{whole[:MAX_LINE]}…", ()
        if self._left_out:
            record.msg += f" ({self._left_out} lines about requests were left out before this one)"
            self._left_out = 0
        return True
