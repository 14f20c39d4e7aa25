"""Waits for an event, or for the end of a task, but not for ever."""

from __future__ import annotations

import asyncio
from typing import Any

STOP_S = 0.1
"""Seconds between two cancellations of a task that goes on."""


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event happens within so many seconds.

    `asyncio.wait_for` would do, but before Python 3.12 it loses a cancellation that comes together with the event: a
    Ctrl-C then had no effect.
    """
    if event.is_set():  # what has happened long ago is asked for a thousand times a second
        return True
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting}, timeout=seconds)
        return waiting.done()
    finally:
        waiting.cancel()


async def stop(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks until they are done.

    Before Python 3.12, `wait_for` loses a cancellation that comes at the moment of its result: once is not enough.
    Whoever makes tasks that start programs stops them before the event loop ends: `asyncio.run` cancels all tasks at
    once, asyncio's own among them, and waits for ever for a program that was just being started.
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=STOP_S)
