"""Who looks at the sessions, and who is told when one changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ..aio import happens
from ..values.session import Session
from . import timings


class Observers:
    """Counts who looks, and wakes the poll loop for the first one; tells the `listeners` of every change."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.listeners: list[Callable[[Session], None]] = []
        self._wake = wake
        self._watchers = 0
        self._glanced = float("-inf")
        self._changed = asyncio.Event()

    @property
    def watched(self) -> bool:
        """Whether somebody looks."""
        return self._watchers > 0 or time.monotonic() - self._glanced < timings.GLANCE

    def glance(self) -> None:
        """Somebody looked at the list once."""
        if not self.watched:
            self._wake()
        self._glanced = time.monotonic()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Somebody looks for as long as this is open."""
        self._watchers += 1
        self._wake()
        try:
            yield
        finally:
            self._watchers -= 1

    async def change(self, timeout: float) -> None:
        """Waits until any session changed, at most `timeout` seconds."""
        await happens(self._changed, timeout)

    def tell(self, changed: Iterable[Session]) -> None:
        """These sessions changed, or, where there are none of them, others are gone."""
        self._changed.set()
        self._changed = asyncio.Event()
        for session in changed:
            for listener in self.listeners:
                listener(session)
