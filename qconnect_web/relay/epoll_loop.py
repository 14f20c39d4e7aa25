"""The relay process's loop: no more than a pump needs, because each message of each session passes through it."""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

BATCH = 64
"""Events that are dealt with at a time: room for a thousand would be made anew for each few."""


class EpollHost:
    """Wakes those who watch file descriptors, wait for a time, or want to go on after the others."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._woken: dict[int, Callable[[int], None]] = {}
        self._soon: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._void: set[int] = set()
        self._number = count()

    def watch(self, fd: int, events: int, woken: Callable[[int], None]) -> None:
        """Level-triggered: what was not dealt with is told again."""
        if not events:
            if self._woken.pop(fd, None):
                self._epoll.unregister(fd)
            return
        if fd in self._woken:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._woken[fd] = woken

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        number = next(self._number)
        heappush(self._timers, (time.monotonic() + seconds, number, call))
        return lambda: self._void.add(number)

    def soon(self, call: Callable[[], None]) -> None:
        self._soon.append(call)

    def run(self) -> None:
        """Never returns; whoever has enough raises SystemExit."""
        woken, poll, soon, timers = self._woken, self._epoll.poll, self._soon, self._timers
        while True:
            for fd, events in poll(self._patience(), BATCH):
                call = woken.get(fd)  # whoever was closed in this very round is not there any more
                if call:
                    call(events)
            for _ in range(len(soon)):
                soon.popleft()()
            while timers and timers[0][0] <= time.monotonic():
                self._ring()

    def _patience(self) -> float | None:
        """Seconds to wait at most; None when nobody waits for a time."""
        if self._soon:
            return 0
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def _ring(self) -> None:
        _, number, call = heappop(self._timers)
        if number in self._void:
            self._void.discard(number)
        else:
            call()
