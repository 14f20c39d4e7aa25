"""The scheduler's words: unknown is not gone, no answer leaves the last one standing, and nobody asks too often."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import pytest

from qconnect_web.errors import SchedulerUnavailable
from qconnect_web.schedulers import More, Queue, unrationed
from qconnect_web.sessions import timings
from qconnect_web.sessions.clock import now
from qconnect_web.sessions.job_cache import JobCache
from qconnect_web.sessions.store import Store
from qconnect_web.values.job import Job, JobSpec, JobState
from tests.sessions.defaults import job_cache

pytestmark = pytest.mark.unit


class Scripted:
    """A scheduler that answers as it is told and counts the questions."""

    name = "scripted"
    dialect = "pbs"
    cheap = True
    ignores: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.down = False
        self.asked = 0

    async def submit(self, script: str, spec: JobSpec, *, session: str, folder: Path) -> str:
        raise NotImplementedError

    async def query(self, job_ids: list[str], more: More = unrationed) -> dict[str, Job]:
        self.asked += 1
        if self.down:
            raise SchedulerUnavailable("cannot connect to server")
        return {job_id: self.jobs[job_id] for job_id in job_ids if job_id in self.jobs}

    async def mine(self, more: More = unrationed) -> list[Job]:
        return list(self.jobs.values())

    async def cancel(self, job_id: str) -> None:
        raise NotImplementedError

    async def queues(self, more: More = unrationed) -> list[Queue]:
        return []

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        return None


RUNNING = Job("1.s", JobState.RUNNING, node="n1")


@pytest.fixture
def scheduler() -> Scripted:
    scripted = Scripted()
    scripted.jobs["1.s"] = RUNNING
    return scripted


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    tmp_path.chmod(0o700)
    return store


@pytest.fixture
def cache(scheduler: Scripted, store: Store) -> JobCache:
    return job_cache(scheduler, store)


def jump(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Moves both clocks forward."""
    monotonic, clock = time.monotonic, time.time
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + seconds)
    monkeypatch.setattr(time, "time", lambda: clock() + seconds)


def ask(cache: JobCache, *job_ids: str) -> None:
    cache.budget.hurry(now())
    asyncio.run(cache.ask(list(job_ids)))


def test_an_answer_is_remembered(cache: JobCache) -> None:
    ask(cache, "1.s")
    assert cache.status("1.s").job == RUNNING


def test_no_answer_leaves_the_last_word_standing_and_says_since_when(
    cache: JobCache, scheduler: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(cache, "1.s")
    answered = pytest.approx(time.time(), abs=1)
    jump(monkeypatch, 30)
    scheduler.down = True
    for _ in range(20):
        with pytest.raises(SchedulerUnavailable):
            ask(cache, "1.s")
    assert cache.status("1.s").job == RUNNING
    assert cache.stale_since == answered
    scheduler.down = False
    ask(cache, "1.s")
    assert cache.stale_since is None


def test_unknown_is_gone_only_after_three_misses_over_a_minute(
    cache: JobCache, scheduler: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(cache, "1.s")
    scheduler.jobs.clear()
    for _ in range(50):  # many misses in no time
        ask(cache, "1.s")
    assert cache.status("1.s").job.state is JobState.RUNNING
    jump(monkeypatch, 61)
    ask(cache, "1.s")
    assert cache.status("1.s").job.state is JobState.COMPLETED


def test_a_minute_without_three_misses_is_not_gone(
    cache: JobCache, scheduler: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(cache, "1.s")
    scheduler.jobs.clear()
    ask(cache, "1.s")
    jump(monkeypatch, 300)
    ask(cache, "1.s")
    assert cache.status("1.s").job.state is JobState.RUNNING


def test_a_job_that_is_seen_again_starts_from_no_misses(cache: JobCache, scheduler: Scripted) -> None:
    scheduler.jobs.clear()
    ask(cache, "1.s")
    ask(cache, "1.s")
    scheduler.jobs["1.s"] = RUNNING
    ask(cache, "1.s")
    assert cache.status("1.s").misses == 0


def test_another_servers_fresh_answer_saves_the_question(scheduler: Scripted, store: Store) -> None:
    scheduler.cheap = False
    first, second = job_cache(scheduler, store), job_cache(scheduler, store)
    ask(second, "1.s")
    ask(first, "1.s")
    assert scheduler.asked == 2
    asyncio.run(second.ask(["1.s"]))  # not in a hurry: the first one's answer is young enough
    assert scheduler.asked == 2


def test_a_stale_answer_does_not_save_the_question(
    scheduler: Scripted, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = job_cache(scheduler, store)
    ask(cache, "1.s")
    jump(monkeypatch, 30)
    asyncio.run(cache.ask(["1.s"]))
    assert scheduler.asked == 2


def test_an_exit_status_outlives_the_server(scheduler: Scripted, store: Store) -> None:
    scheduler.jobs["1.s"] = Job("1.s", JobState.COMPLETED, exit_status=7)
    ask(job_cache(scheduler, store), "1.s")
    restarted = job_cache(scheduler, store)
    asyncio.run(restarted.load())
    assert restarted.status("1.s").job.exit_status == 7


def test_questions_are_rare_when_all_is_ready_and_back_off_when_nobody_answers(
    cache: JobCache, scheduler: Scripted
) -> None:
    def wait() -> float:
        return cache.budget.due_in(now())

    ask(cache, "1.s")
    cache.budget.postpone(now(), pending=True, watched=True, moving=False)
    assert 9.9 <= wait() <= 12
    cache.budget.postpone(now(), pending=False, watched=True, moving=False)
    assert 59.9 <= wait() <= 72
    scheduler.down = True
    waits = []
    for _ in range(6):
        with pytest.raises(SchedulerUnavailable):
            ask(cache, "1.s")
        cache.budget.postpone(now(), pending=True, watched=True, moving=True)
        waits.append(wait())
    assert waits[0] >= 9.9
    assert waits[-1] >= timings.MAX_INTERVAL * 0.99
    assert max(waits) <= timings.MAX_INTERVAL * 1.2


def test_a_change_during_a_question_is_asked_about_at_once(cache: JobCache) -> None:
    ask(cache, "1.s")
    cache.budget.hurry(now())
    cache.budget.postpone(now(), pending=True, watched=True, moving=False)
    assert cache.budget.due_in(now()) <= 0


def test_an_answer_of_another_version_is_no_answer(scheduler: Scripted, store: Store) -> None:
    word = {"job": {"id": "1.s", "state": "RUNNING", "colour": "red"}, "asked": 1.0, "misses": 0, "missing_since": None}
    store.write_answer({"time": time.time(), "asked": [], "words": [word]})
    cache = job_cache(scheduler, store)
    assert not asyncio.run(cache.load())
    ask(cache, "1.s")
    assert cache.status("1.s").job == RUNNING


def test_words_on_jobs_that_nobody_keeps_are_dropped(cache: JobCache, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(cache, "1.s")
    cache.forget(set())
    assert cache.status("1.s").job == RUNNING, "it may have been submitted a moment ago"
    jump(monkeypatch, 120)
    cache.forget({"1.s"})
    assert cache.status("1.s").job == RUNNING
    cache.forget(set())
    assert cache.status("1.s").job.state is JobState.UNKNOWN


def test_an_answer_that_says_nothing_of_a_job_is_neither_a_word_nor_a_miss(
    cache: JobCache, scheduler: Scripted
) -> None:
    ask(cache, "1.s")
    scheduler.jobs["1.s"] = Job("1.s", JobState.UNKNOWN)
    for _ in range(10):
        ask(cache, "1.s")
    assert cache.status("1.s").job == RUNNING
    assert cache.status("1.s").misses == 0


def test_misses_are_counted_by_all_servers_together(
    scheduler: Scripted, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = job_cache(scheduler, store), job_cache(scheduler, store)
    ask(first, "1.s")
    ask(second, "1.s")
    scheduler.jobs.clear()
    for cache in (first, second, first):  # what one server knows does not bring back what the other misses
        jump(monkeypatch, 40)
        ask(cache, "1.s")
    assert first.status("1.s").job.state is JobState.COMPLETED


@pytest.mark.parametrize("cheap", [False, True])
def test_a_server_that_starts_takes_over_a_fresh_answer_unless_asking_costs_nothing(
    scheduler: Scripted, store: Store, cheap: bool
) -> None:
    scheduler.cheap = cheap
    ask(job_cache(scheduler, store), "1.s")
    asyncio.run(job_cache(scheduler, store).ask(["1.s"]))
    assert scheduler.asked == 1 + cheap


def test_all_servers_together_keep_to_one_budget_and_no_more_while_the_batch_system_fails(
    scheduler: Scripted, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler.cheap = False
    caches = [job_cache(scheduler, store) for _ in range(2)]
    counts = []
    for minute in range(4):
        before = scheduler.asked
        scheduler.down = minute == 2
        for _ in range(15):  # every one of these in a hurry: two servers, thirty clicks a minute
            for cache in caches:
                with suppress(SchedulerUnavailable):
                    ask(cache, "1.s")
            jump(monkeypatch, 4)
        counts.append(scheduler.asked - before)
    assert counts[0] in (11, 12)
    assert all(4 <= count <= 5 for count in counts[1:])


def test_the_list_of_all_jobs_is_only_asked_for_when_somebody_needs_the_tags(
    cache: JobCache, scheduler: Scripted
) -> None:
    scheduler.jobs["2.s"] = Job("2.s", JobState.QUEUED, session="abc")
    cache.budget.hurry(now())
    mine = asyncio.run(cache.ask(["1.s"], all_mine=True))
    assert mine is not None
    assert {job.session for job in mine} == {None, "abc"}
    assert scheduler.asked == 0, "what mine() told need not be asked for again"
    assert cache.status("1.s").job == RUNNING


def test_a_question_that_another_server_has_just_put_is_waited_for(scheduler: Scripted, store: Store) -> None:
    scheduler.cheap = False
    first, second = job_cache(scheduler, store), job_cache(scheduler, store)
    under_way, go_on = asyncio.Event(), asyncio.Event()
    answer = scheduler.query

    async def slow(job_ids: list[str], more: More) -> dict[str, Job]:
        under_way.set()
        await go_on.wait()
        return await answer(job_ids)

    async def both() -> None:
        scheduler.query = slow  # type: ignore[method-assign]
        asking = asyncio.create_task(first.ask(["1.s"]))
        await under_way.wait()
        await second.ask(["1.s"])
        second.budget.postpone(now(), pending=False, watched=True, moving=False)
        assert 0 < second.budget.due_in(now()) <= timings.ELSEWHERE_STEP
        go_on.set()
        await asking
        await second.ask(["1.s"])
        assert second.status("1.s").job == RUNNING

    asyncio.run(both())
    assert scheduler.asked == 1
