"""The scheduler's last word on a job; silence, and an answer that leaves the job out, are not its end yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..values.job import Job, JobState
from ..values.reader import moment, whole
from ..values.session import FORGOTTEN
from . import timings

NEVER = float("-inf")
MISSES = whole(0, 1 << 31)


@dataclass(frozen=True)
class JobStatus:
    """The job as it was last told; `asked` is the monotonic time when that question was put.

    `misses` counts the answers since then that did not know the job, the first of them at `missing_since`.
    """

    job: Job
    asked: float
    misses: int = 0
    missing_since: float | None = None


def unheard(job_id: str, submitted: float | None, now: float) -> JobStatus:
    """The status of a job that nobody has asked about (times: epoch).

    QUEUED for a while after it was submitted, by whatever process, else UNKNOWN.
    """
    taken = submitted is not None and now - submitted < timings.JUST_TAKEN
    return JobStatus(Job(job_id, JobState.QUEUED if taken else JobState.UNKNOWN), NEVER)


def updated(before: JobStatus, job: Job | None, asked: float) -> JobStatus:
    """The status after an answer; None: it did not know the job. UNKNOWN tells nothing: the last word stands."""
    if job is None:
        return _missed(before, asked)
    if job.state is JobState.UNKNOWN and before.job.state is not JobState.UNKNOWN:
        return replace(before, misses=0, missing_since=None)
    return JobStatus(job, asked)


def _missed(before: JobStatus, asked: float) -> JobStatus:
    since = asked if before.missing_since is None else before.missing_since
    status = replace(before, misses=before.misses + 1, missing_since=since, asked=asked)
    if status.misses >= timings.MISSES and asked - since >= timings.MISSING_FOR:
        return replace(status, job=replace(status.job, state=JobState.COMPLETED, cause=FORGOTTEN))
    return status


def to_json(status: JobStatus, ahead: float) -> dict[str, Any]:
    """The status with times of the clock that every server has, which is `ahead` of the monotonic one."""
    since = None if status.missing_since is None else status.missing_since + ahead
    return {
        "job": status.job.to_json(),
        "asked": status.asked + ahead,
        "misses": status.misses,
        "missing_since": since,
    }


def from_json(data: dict[str, Any], ahead: float) -> JobStatus:
    """The status that `to_json` wrote; raises KeyError, TypeError, ValueError, BadRequest."""
    since = None if data["missing_since"] is None else moment(data["missing_since"]) - ahead
    return JobStatus(Job.from_json(data["job"]), moment(data["asked"]) - ahead, MISSES(data["misses"]), since)
