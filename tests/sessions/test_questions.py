"""What a session costs a batch system: one question for all that is due, none for what the job tells itself."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from qconnect_web.private_files import seal
from qconnect_web.sessions import timings
from qconnect_web.sessions.clock import now
from qconnect_web.sessions.poll import Poll
from qconnect_web.sessions.store import Store
from qconnect_web.values.job import Job, JobState
from qconnect_web.values.session import SessionState
from tests.sessions.defaults import job_cache
from tests.sessions.test_jobs import Scripted
from tests.sessions.test_store import CONNECTION, END, RECORD
from tests.support.deadline import aeventually

pytestmark = pytest.mark.unit

KEYS = {f"key{number}": f"{number}.s" for number in range(1, 4)}


class Asking:
    """A batch system that counts its questions, three sessions, and the poll that somebody watches."""

    def __init__(self, root: Path) -> None:
        self.scheduler = Scripted()
        self.scheduler.cheap = False
        self.store = Store(root / "sessions")
        self.store.prepare()
        self.poll = Poll(self.store, job_cache(self.scheduler, self.store), logging.getLogger("test"))

    def submit(self) -> None:
        """Three starts, one right after the other."""
        for key, job_id in KEYS.items():
            self.store.create(replace(RECORD, key=key, job_id=job_id))
            self.scheduler.jobs[job_id] = Job(job_id, JobState.QUEUED)
            self.poll.accepted(key, job_id)

    def write(self, name: str, told: dict[str, object] | str) -> None:
        """Each job writes this file: a text, or a document with its own id in it."""
        for key, job_id in KEYS.items():
            path = self.store.folder(key) / name
            path.touch(0o600)
            path.write_bytes(f"{told}\n".encode() if isinstance(told, str) else seal({**told, "job": job_id}))

    async def all_are(self, state: SessionState) -> None:
        def told() -> bool:
            return [session.state for session in self.poll.known.sessions.values()] == [state] * len(KEYS)

        await aeventually(told, 10, f"three sessions that are {state}")


@pytest.fixture
def world(tmp_path: Path) -> Asking:
    return Asking(tmp_path)


async def journey(world: Asking) -> list[int]:
    """The questions until three sessions were queued, READY, and over."""
    running = asyncio.create_task(world.poll.run())
    counts = []
    try:
        with world.poll.observers.watching():
            world.submit()
            await world.all_are(SessionState.QUEUED)
            counts.append(world.scheduler.asked)
            world.write("run", CONNECTION.run)
            await world.all_are(SessionState.STARTING)
            world.write("connection.json", vars(CONNECTION))
            await world.all_are(SessionState.READY)
            counts.append(world.scheduler.asked)
            world.scheduler.jobs = {job: Job(job, JobState.COMPLETED, exit_status=0) for job in KEYS.values()}
            world.write("ended.json", vars(END))
            await world.all_are(SessionState.ENDED)
            counts.append(world.scheduler.asked)
    finally:
        await world.poll.close()
        await running
    return counts


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked but for what is asked at once."""
    for name in ("PENDING_INTERVAL", "READY_INTERVAL", "FIRST_STEP_DEAR"):
        monkeypatch.setattr(timings, name, 3600.0)


def test_a_display_is_asked_about_as_soon_as_while_one_waits(world: Asking) -> None:
    budget = world.poll._cache.budget
    world.submit()
    asyncio.run(world.poll.look())
    budget.allows(now(), heard=False, more=False)
    budget.postpone(now(), pending=False, watched=False, moving=False)
    assert budget.due_in(now()) > timings.PENDING_INTERVAL
    world.write("run", CONNECTION.run)
    world.write("connection.json", vars(CONNECTION))
    asyncio.run(world.poll.look())
    assert 0 < budget.due_in(now()) <= timings.PENDING_INTERVAL


@pytest.mark.parametrize("cheap", [False, True])
def test_a_job_that_was_just_taken_is_no_reason_to_ask_unless_asking_costs_nothing(tmp_path: Path, cheap: bool) -> None:
    scheduler = Scripted()
    scheduler.cheap = cheap
    cache = job_cache(scheduler, Store(tmp_path))
    cache.budget.postpone(now(), pending=False, watched=False, moving=False)
    cache.accepted("1.s")
    assert (cache.budget.due_in(now()) <= 0) == cheap
    assert cache.budget.due_in(now()) <= timings.PENDING_INTERVAL


@pytest.mark.usefixtures("slow")
def test_three_sessions_cost_no_question_until_they_end_and_few_then(world: Asking) -> None:
    queued, ready, over = asyncio.run(journey(world))
    assert queued <= 1, "the one that is due when a server starts"
    assert ready == queued
    assert 1 <= over - ready <= 3
