"""What the scheduler last said of each job, how old that is, and when it is worth asking again.

The answer lies beside the session folders (`.answer.json`), so that several servers and the command line together ask
no more often than one of them would, and so that a finished job's exit status outlives the scheduler's memory of it.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, replace
from typing import Any

from .errors import SchedulerFailed
from .models import Job, JobState
from .schedulers import Scheduler
from .store import Store

PENDING_INTERVAL = 10.0
"""Seconds between two questions while something is not yet READY and somebody watches."""
READY_INTERVAL = 60.0
"""Seconds between two questions while all is READY, or while nobody watches what is pending."""
MAX_INTERVAL = 120.0
FIRST_STEP = 0.25
"""Seconds to the second look after something changed; doubles until it reaches the interval."""
MISSES = 3
MISSING_FOR = 60.0
"""A job is gone when this many answers over this many seconds did not know it: unknown is not gone."""


@dataclass(frozen=True)
class Word:
    """The scheduler's last word on a job; `asked` is the monotonic time when that question was put."""

    job: Job
    asked: float
    misses: int = 0
    missing_since: float | None = None


def missed(word: Word, now: float) -> Word:
    """The word after one more answer that did not know the job."""
    since = now if word.missing_since is None else word.missing_since
    word = replace(word, misses=word.misses + 1, missing_since=since, asked=now)
    if word.misses >= MISSES and now - since >= MISSING_FOR:
        return replace(word, job=replace(word.job, state=JobState.COMPLETED))
    return word


def job_from_json(data: dict[str, Any]) -> Job:
    """The job as `Job.to_json` wrote it; raises TypeError, ValueError."""
    return Job(**{**data, "state": JobState(data["state"])})


class JobBook:
    """Asks the scheduler, one question at a time, and remembers its answers."""

    def __init__(self, scheduler: Scheduler, store: Store) -> None:
        self.scheduler = scheduler
        self.stale_since: float | None = None
        self._store = store
        self._words: dict[str, Word] = {}
        self._due = 0.0
        self._steps = 0
        self._failures = 0
        self._hurried = True

    def word(self, job_id: str) -> Word:
        """The last word on a job; UNKNOWN, asked never, when there is none."""
        return self._words.get(job_id) or Word(Job(job_id, JobState.UNKNOWN), asked=float("-inf"))

    def accepted(self, job_id: str) -> None:
        """The scheduler has just taken this job: queued, until it says more."""
        self._words[job_id] = Word(Job(job_id, JobState.QUEUED), time.monotonic())
        self.hurry()

    def hurry(self) -> None:
        """Something changed: the next question is due now, and a few more follow closely."""
        self._due = 0.0
        self._steps = 0
        self._hurried = True

    def due_in(self, now: float) -> float:
        """Seconds until the next question is due."""
        return self._due - now

    def postpone(self, *, pending: bool, watched: bool, moving: bool) -> None:
        """Sets when the next question is due; `moving` = a job is between two states right now."""
        if self._hurried:  # something changed while the last question was under way
            return
        interval = PENDING_INTERVAL if pending and watched else READY_INTERVAL
        if moving:
            interval = min(interval, FIRST_STEP * 2**self._steps)
            self._steps += 1
        if self._failures:
            interval = min(MAX_INTERVAL, PENDING_INTERVAL * 2 ** (self._failures - 1))
        self._due = time.monotonic() + interval * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, hides nothing

    async def ask(self, job_ids: list[str]) -> None:
        """Puts one question for all these jobs; a scheduler that does not answer leaves its last words standing."""
        asked = time.monotonic()
        if not self._hurried and await asyncio.to_thread(self._answered_elsewhere, job_ids):
            return
        self._hurried = False
        try:
            answer = await self.scheduler.query(job_ids) if job_ids else {}
        except SchedulerFailed:
            self._failures += 1
            self.stale_since = self.stale_since or time.time()
            raise
        self._failures = 0
        self.stale_since = None
        for job_id in job_ids:
            known = answer.get(job_id)
            self._words[job_id] = Word(known, asked) if known else missed(self.word(job_id), asked)
        await asyncio.to_thread(self._save)

    def forget(self, keep: set[str]) -> None:
        """Drops the words on all jobs but these and those that were just submitted."""
        recent = time.monotonic() - READY_INTERVAL
        self._words = {job_id: word for job_id, word in self._words.items() if job_id in keep or word.asked > recent}

    def load(self, younger_than: float | None = None) -> bool:
        """Takes over the answer that a server left beside the folders; False if there is none so young (seconds)."""
        data = self._store.answer()
        age = time.time() - float(data.get("time", 0)) if data else float("inf")
        if data is None or (younger_than is not None and not 0 <= age < younger_than):
            return False
        asked = time.monotonic() - max(0.0, age)
        try:
            jobs = [job_from_json(item) for item in data["jobs"]]
        except (KeyError, TypeError, ValueError):  # left by another version of us
            return False
        for job in jobs:
            if self.word(job.id).asked < asked and self.word(job.id).job.state is not JobState.COMPLETED:
                self._words[job.id] = Word(job, asked)
        return True

    def _answered_elsewhere(self, job_ids: list[str]) -> bool:
        """Whether another server has asked about all these jobs just now; its answer is taken over then."""
        recent = time.monotonic() - PENDING_INTERVAL / 2
        return self.load(PENDING_INTERVAL / 2) and all(self.word(job_id).asked > recent for job_id in job_ids)

    def _save(self) -> None:
        known = [word.job for word in self._words.values() if word.job.state is not JobState.UNKNOWN]
        self._store.write_answer({"time": time.time(), "jobs": [job.to_json() for job in known]})
