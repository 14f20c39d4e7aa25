"""Waits for something to become true, with a deadline, and says what did not.

Deadlines are in seconds of a machine that has nothing else to do: time in which something had to wait for a processor
hardly counts (Linux' pressure stall information), so that a test fails because of what it tests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
STEP = 0.05
BUSIEST = 4
"""So many times as long as on a quiet machine a wait may last at most."""
PRESSURE = Path("/proc/pressure/cpu")


def eventually(predicate: Callable[[], T], timeout: float = 10, what: str | Callable[[], str] = "") -> T:
    """The first true answer of `predicate`; fails after `timeout` seconds with what was awaited."""
    deadline = Deadline(timeout)
    while True:
        if found := predicate():
            return found
        if deadline.passed():
            raise AssertionError(_missed(predicate, timeout, what))
        time.sleep(STEP)


async def aeventually(
    predicate: Callable[[], T | Awaitable[T]], timeout: float = 10, what: str | Callable[[], str] = ""
) -> T:
    """As `eventually`, for predicates that may be coroutines, without blocking the loop."""
    deadline = Deadline(timeout)
    while True:
        found = predicate()
        if isawaitable(found):
            found = await found
        if found:
            return found  # type: ignore[return-value]  # narrowed by isawaitable above
        if deadline.passed():
            raise AssertionError(_missed(predicate, timeout, what))
        await asyncio.sleep(STEP)


def _missed(predicate: object, timeout: float, what: str | Callable[[], str]) -> str:
    return f"{(what() if callable(what) else what) or predicate} did not come true within {timeout} s"


class Deadline:
    """A moment so many seconds from now, later by the time that programs spend in queues for a processor until then."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._start, self._stalled = time.monotonic(), stalled()

    def passed(self) -> bool:
        return self.elapsed() > self.seconds

    def elapsed(self) -> float:
        """Seconds that count, since the beginning."""
        elapsed = time.monotonic() - self._start
        return max(elapsed - (stalled() - self._stalled), elapsed / BUSIEST)


def stalled() -> float:
    """Seconds since boot in which a program was ready and had no processor; 0 where the kernel does not count them."""
    try:
        some = PRESSURE.read_text().partition("\n")[0]
    except OSError:  # no such file, or a kernel that was started without
        return 0
    return int(some.rpartition("total=")[2]) / 1e6
