"""How often the session folders are looked at: most often while somebody waits for a run to open its display."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from qconnect_web.sessions import timings
from qconnect_web.sessions.poll import Poll
from qconnect_web.sessions.store import Store
from tests.sessions.defaults import job_cache
from tests.sessions.test_jobs import Scripted
from tests.sessions.test_store import RECORD, put

pytestmark = pytest.mark.unit


@pytest.fixture
def poll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Poll:
    """A poll that looks a second time only at a run that is opening its display."""
    for name in ("LOOK_WAITING", "LOOK_WATCHED", "LOOK_PENDING", "LOOK_IDLE"):
        monkeypatch.setattr(timings, name, 3600.0)
    store = Store(tmp_path / "sessions")
    store.prepare()
    store.create(RECORD)
    put(store, "run", b"run-2\n")
    return Poll(store, job_cache(Scripted(), store), logging.getLogger("test"))


async def looks(poll: Poll) -> int:
    """How often it looked until it paused for an hour, or ten times."""
    counted, look = 0, poll.look

    async def counting() -> None:
        nonlocal counted
        counted += 1
        await look()

    poll.look = counting  # type: ignore[method-assign]  # only counts
    with poll.observers.watching():
        running = asyncio.create_task(poll.run())
        await asyncio.wait({running}, timeout=1.5)
        await poll.close()
        await running
    return counted


def test_a_run_that_opens_its_display_is_looked_at_again_at_once(poll: Poll) -> None:
    assert asyncio.run(looks(poll)) > 5


def test_a_run_that_opens_nothing_is_not_looked_at_so_often_for_ever(
    poll: Poll, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timings, "OPENS_WITHIN", 0.0)
    assert asyncio.run(looks(poll)) <= 5  # its start, and the scheduler's answers to it, are looked after
