"""What is wrong just now and is not one request's fault: said once in the log, and kept until it is over."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import QConnectError


class Problems:
    """One problem for each thing that can have one."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._now: dict[str, str] = {}

    def begin(self, thing: str, message: str, fault: Exception | None = None) -> None:
        """It is wrong, in the words of `message`; by a `fault` of ours, where that is given."""
        if self._now.get(thing) != message:
            self._now[thing] = message
            self._log.warning(message, exc_info=fault)

    def end(self, thing: str) -> None:
        """It is right."""
        self._now.pop(thing, None)

    @contextmanager
    def over(self, thing: str, words: str = "") -> Iterator[None]:
        """What fails in here is wrong with the thing, said in these words and its own, and ends nothing else."""
        try:
            yield
        except (OSError, QConnectError) as error:
            self.begin(thing, f"{words}{error}")
        except Exception as error:  # one round is lost, by a fault of ours: nobody's sessions are
            kind = type(error).__name__
            self.begin(thing, f"{words}QConnect made a mistake ({kind}), which its log tells. Trying again.", error)
        else:
            self.end(thing)

    def of(self, thing: str) -> str | None:
        """What is wrong with it now."""
        return self._now.get(thing)
