"""What the scheduler last said of each job.

The answer lies beside the session folders (`.answer.json`), so that several servers and the command line together ask
no more often than one of them would (question_budget), and so that a finished job's exit status outlives the
scheduler's memory of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from ..errors import QConnectError
from ..schedulers import Scheduler
from ..values import reader
from ..values.job import Job, JobState
from . import job_status, timings
from .clock import now
from .job_status import JobStatus, unheard, updated
from .question_budget import QuestionBudget
from .store import Store

T = TypeVar("T")


@dataclass(frozen=True)
class Left:
    """What a server left: when it last had an answer, when questions were put (epoch), and what it was told.

    `beside` are the times of those questions that were not for all sessions.
    """

    answered: float
    asked: list[float]
    beside: list[float]
    statuses: list[JobStatus]


def _left(store: Store, ahead: float) -> Left | None:
    """What lies beside the folders (in a thread); None where nothing does, or what another version of us left."""
    with suppress(OSError, QConnectError, KeyError, TypeError, ValueError):
        if data := store.answer():
            statuses = [job_status.from_json(item, ahead) for item in data["words"]]
            asked, beside = ([reader.moment(item) for item in data.get(name, [])] for name in ("asked", "beside"))
            return Left(reader.moment(data["time"]), asked, beside, statuses)
    return None


class JobCache:
    """Asks the scheduler, one question at a time, and remembers its answers."""

    def __init__(self, scheduler: Scheduler, store: Store, questions_per_minute: int) -> None:
        self.scheduler = scheduler
        self.budget = QuestionBudget(most=questions_per_minute, cheap=scheduler.cheap)
        self.statuses: dict[str, JobStatus] = {}
        self.stale_since: float | None = None
        """When the scheduler last answered (epoch seconds), while it does not; None while it does."""
        self._store = store

    def status(self, job_id: str) -> JobStatus:
        """The last word on a job; when there is none, asked NEVER and UNKNOWN."""
        return self.statuses.get(job_id) or unheard(job_id, None, now().epoch)

    def accepted(self, job_id: str) -> None:
        """The scheduler has just taken this job: queued, until it says more."""
        moment = now()
        self.statuses[job_id] = JobStatus(Job(job_id, JobState.QUEUED), moment.monotonic)
        self.budget.expect(moment)

    async def unanswered(self) -> str | None:
        """That the last question, by whatever server, has not been answered; one just put is waited for a while."""
        while 0 < (age := self.budget.open_for(now())) < timings.LIST_PATIENCE:
            await asyncio.sleep(min(timings.LIST_STEP, timings.LIST_PATIENCE - age))
            await self.load()
        return "The batch system has not answered when it was last asked." if age else None

    async def ask(self, job_ids: list[str], *, all_mine: bool = False) -> list[Job] | None:
        """Puts one question for all these jobs; a scheduler that does not answer leaves its last words standing.

        With `all_mine` the question is for the user's jobs, which are returned: only that tells their tags. None when
        nothing had to be asked, or nothing may be just now. Raises SchedulerFailed and its heirs.
        """
        heard = await self._heard(job_ids)
        if not self.budget.allows(now(), heard=heard, more=all_mine):
            return None
        asked = now().monotonic
        try:
            mine, answer = await self._answer(job_ids, all_mine)
        except Exception:  # also one of ours: it must not be made at every look
            self.budget.note_failure()
            self.stale_since = self.stale_since or self.budget.answered or now().epoch
            await self._save()
            raise
        self.budget.note_answer(now())
        self.stale_since = None
        for job_id in job_ids:
            self.statuses[job_id] = updated(self.status(job_id), answer.get(job_id), asked)
        await self._save()
        return mine

    def more(self, *, must: bool = False) -> bool:
        """Whether one more question may be put, beside those that `ask` puts; see schedulers.More."""
        return self.budget.more(now(), must=must)

    def spare(self, count: int) -> bool:
        """Whether there are so many questions to spare, for what can wait; the first is counted then."""
        return self.budget.spare(now(), count)

    async def load(self) -> bool:
        """Takes over what is newer in the answer that a server left beside the folders; False if there is none."""
        moment = now()
        left = await asyncio.to_thread(_left, self._store, moment.ahead)
        if left is None:
            return False
        self.budget.note_others(left.asked, left.answered, moment, left.beside)
        for status in left.statuses:
            known = self.status(status.job.id)
            if known.asked < status.asked <= now().monotonic and known.job.state is not JobState.COMPLETED:
                self.statuses[status.job.id] = status
        return True

    def forget(self, keep: set[str]) -> None:
        """Drops the words on all jobs but these and those that were just submitted."""
        recent = now().monotonic - timings.READY_INTERVAL
        self.statuses = {
            job_id: status for job_id, status in self.statuses.items() if job_id in keep or status.asked > recent
        }

    async def _heard(self, job_ids: list[str]) -> bool:
        """Whether another server has asked about all these jobs within the interval; its answer is taken over then."""
        await self.load()
        moment = now()
        return bool(job_ids) and all(self.budget.young(self.status(job_id).asked, moment) for job_id in job_ids)

    async def _answer(self, job_ids: list[str], all_mine: bool) -> tuple[list[Job], dict[str, Job]]:
        """The user's jobs, where they are wanted, and what is said of these; in as few questions as that takes."""
        mine = await self._put(self.scheduler.mine(self.more)) if all_mine else []
        answer = {job.id: job for job in mine if job.id in job_ids}
        left = [job_id for job_id in job_ids if job_id not in answer]
        return mine, answer | (await self._put(self.scheduler.query(left, self.more)) if left else {})

    async def _put(self, question: Awaitable[T]) -> T:
        """Puts a question to the scheduler and notes when, for the other servers too."""
        self.budget.note_question(now())
        if not self.scheduler.cheap:
            await self._save()
        return await question

    async def _save(self) -> None:
        """Leaves the answer, and the times of the questions, for other servers."""
        known = [status for status in self.statuses.values() if status.job.state is not JobState.UNKNOWN]
        asked = {"asked": [*self.budget.asked], "beside": [*self.budget.beside]}
        answered, ahead = self.budget.answered or 0.0, now().ahead

        def write() -> None:
            words = [job_status.to_json(status, ahead) for status in known]
            self._store.write_answer({"time": answered, **asked, "words": words})

        await asyncio.to_thread(write)
