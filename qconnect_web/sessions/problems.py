"""What is wrong just now and is not one request's fault: said once in the log, and kept until it is over."""

from __future__ import annotations

import logging


class Problems:
    """One problem for each thing that can have one."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._now: dict[str, str] = {}

    def begin(self, thing: str, message: str) -> None:
        """It is wrong, in the words of `message`."""
        if self._now.get(thing) != message:
            self._now[thing] = message
            self._log.warning(message)

    def end(self, thing: str) -> None:
        """It is right."""
        self._now.pop(thing, None)

    def of(self, thing: str) -> str | None:
        """What is wrong with it now."""
        return self._now.get(thing)
