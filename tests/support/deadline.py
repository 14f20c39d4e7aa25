"""Waits for something to become true, with a deadline, and says what did not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeVar

T = TypeVar("T")
STEP = 0.05


def eventually(predicate: Callable[[], T], timeout: float = 10, what: str = "") -> T:
    """The first true answer of `predicate`; fails after `timeout` seconds with what was awaited."""
    deadline = time.monotonic() + timeout
    while True:
        if found := predicate():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what or predicate} did not come true within {timeout} s")
        time.sleep(STEP)


async def aeventually(predicate: Callable[[], T | Awaitable[T]], timeout: float = 10, what: str = "") -> T:
    """As `eventually`, for predicates that may be coroutines, without blocking the loop."""
    deadline = time.monotonic() + timeout
    while True:
        found = predicate()
        if isawaitable(found):
            found = await found
        if found:
            return found  # type: ignore[return-value]  # narrowed by isawaitable above
        if time.monotonic() > deadline:
            raise AssertionError(f"{what or predicate} did not come true within {timeout} s")
        await asyncio.sleep(STEP)
