"""Jobs that an answer about several was silent about: asked about by themselves before anything is believed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import SchedulerUnavailable
from ..plain_text import plain_logger
from ..values.job import Job, JobState

NAMED = 5
"""Ids that one line of the log names."""

log = plain_logger(__name__)


class FollowUp:
    """Whom to ask about again, and what was put into the log already."""

    def __init__(self) -> None:
        self._silent: dict[str, None] = {}
        self._logged: set[str] = set()

    def order(self, job_ids: Iterable[str]) -> list[str]:
        """The ids to ask about, those first that have been left out for longest: some answer their first id only."""
        ranks = {job_id: rank for rank, job_id in enumerate(self._silent)}
        return sorted(job_ids, key=lambda job_id: ranks.get(job_id, len(ranks)))

    def silent(self, answer: dict[str, Job]) -> list[str]:
        """The ids that are left without a word, those first that have been so for longest."""
        left = [job_id for job_id, job in answer.items() if job == Job(job_id, JobState.UNKNOWN)]
        return [*(job_id for job_id in self._silent if job_id in left), *(x for x in left if x not in self._silent)]

    def settle(self, asked: Sequence[str], answer: dict[str, Job]) -> dict[str, Job]:
        """The answer, in the order of the question; what is left out is noted, and told in the log once.

        Raises SchedulerUnavailable where nothing was said of any of them: that is no answer, of whatever status.
        """
        self._silent = dict.fromkeys(self.silent(answer))
        if new := [job_id for job_id in self._silent if job_id not in self._logged]:
            names = ", ".join(new[:NAMED]) + (f" and {len(new) - NAMED} more" if len(new) > NAMED else "")
            log.warning("The batch system's answer does not tell the state of job %s: what it said last stands.", names)
        self._logged = {job_id for job_id in (*self._logged, *self._silent) if job_id in asked}
        if answer and len(self._silent) == len(answer):
            raise SchedulerUnavailable("The batch system was asked about your jobs and told of none. Trying again.")
        return {job_id: answer[job_id] for job_id in asked if job_id in answer}
