"""Waits for an event, but not for ever."""

from __future__ import annotations

import asyncio


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event happens within so many seconds.

    `asyncio.wait_for` would do, but before Python 3.12 it loses a cancellation that comes together with the event: a
    Ctrl-C then had no effect.
    """
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting}, timeout=seconds)
        return waiting.done()
    finally:
        waiting.cancel()
