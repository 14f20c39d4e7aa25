"""Waiting for an event: in time, in vain, and when whoever waits is cancelled at that very moment."""

from __future__ import annotations

import asyncio

import pytest

from qconnect_web.aio import happens

pytestmark = pytest.mark.unit


def test_an_event_is_waited_for_but_not_for_ever() -> None:
    async def waits() -> tuple[bool, bool, bool]:
        event = asyncio.Event()
        in_vain = await happens(event, 0.01)
        asyncio.get_running_loop().call_later(0.01, event.set)
        return in_vain, await happens(event, 10), await happens(event, 0.01)

    assert asyncio.run(waits()) == (False, True, True)


def test_a_cancellation_that_comes_with_the_event_is_not_lost() -> None:
    async def cancels() -> None:
        event = asyncio.Event()
        waiting = asyncio.create_task(happens(event, 10))
        await asyncio.sleep(0.01)
        event.set()
        await asyncio.sleep(0)  # the event has happened, and who waits has not gone on yet
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(cancels())
