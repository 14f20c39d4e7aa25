"""OpenPBS's jobs: from `qstat -f -F json`, also where that is no JSON, and from `qstat -f`. Pure and total."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from typing import Any

from ...errors import SchedulerFailed
from ...values.job import JOB_ID, Job, JobState
from ..commands import Done
from ..json_pieces import Piece, documents, pieces, values
from . import common
from .common import JOB_STATES, KEY, TAG, comment_of, count, first_host, seconds, status_of
from .queues import blocks

CAUSES = {
    271: "cancelled",
    265: "killed",
    -1: "not-started",
    -2: "not-started",
    -3: "not-started",
    -4: "node-failed",
    -8: "not-started",
    -10: "not-started",
    -26: "memory",
    -27: "memory",
    -28: "cpu-time",
    -29: "walltime",
}
"""Exit statuses that OpenPBS itself gives (pbs_job.h; -29 and 271 measured); not TORQUE's numbers."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
READ = {"Job_Name", "job_state", "queue", "exec_host", "Hold_Types", "qtime", "stime", "obittime"}
READ |= {"comment", "run_count", "Exit_status"}
"""The members of a job that say something to us, and are texts or numbers."""
JOBS = r'"Jobs"\s*:\s*\{'
ENDED = re.compile(r"\}\s*\}\s*\}\s*\Z")
"""How an answer ends: the last job, the jobs, the whole."""
NAMED = rf'"({JOB_ID.pattern})"\s*:\s*'
AS_TEXTS = json.JSONDecoder(strict=False, parse_float=str, parse_int=str, parse_constant=str)
"""Numbers stay the texts that they are: a job may be called 1e5 or 007."""


def jobs(done: Done) -> list[Job]:
    """All jobs of an answer, each read alone where the text as a whole is no JSON; nothing on the output is none."""
    if not done.out.strip():
        return []
    try:
        held = [_jobs_in(data) for data in documents(done.out, AS_TEXTS)]
        told = [job_of(job_id, given) for found in held for job_id, given in found.items()]
    except ValueError as error:
        told = [job_of_piece(piece) for piece in pieces(done.out, JOBS, NAMED, AS_TEXTS)]
        if not told:
            raise SchedulerFailed(f"The batch system's answer is no JSON ({error}): {done.out[:120]!r}") from None
    return common.distinct(job for job in told if job)


def jobs_of_text(done: Done) -> list[Job]:
    """All jobs of an answer for people: some releases' JSON leaves out all but the first of several."""
    told = []
    for job_id, given in blocks(done.out).items():
        variables = {TAG: common.tag_among(given.get("Variable_List", ""))}
        limits = {"walltime": given.get("Resource_List.walltime")}
        told.append(job_of(job_id, {**given, "Resource_List": limits, "Variable_List": variables}))
    return [job for job in told if job]


def _jobs_in(data: object) -> dict[str, Any]:
    """What a document holds by the jobs' ids; raises ValueError when there is something else."""
    found = data.get("Jobs", {}) if isinstance(data, dict) else None
    if not isinstance(found, dict):
        raise ValueError("no jobs by their ids")
    return found


def parsed(text: str) -> dict[str, Any]:
    """The JSON object; raises SchedulerFailed. Values may hold raw control characters, as users' variables do."""
    try:
        (data,) = documents(text, AS_TEXTS)
    except ValueError as error:
        raise SchedulerFailed(f"The batch system's answer is no JSON ({error}): {text[:120]!r}") from None
    if not isinstance(data, dict):
        raise SchedulerFailed(f"The batch system's answer is no JSON object: {text[:120]!r}")
    return data


def job_of_piece(piece: Piece) -> Job | None:
    """One job of an answer that is no JSON; UNKNOWN when it was cut off."""
    if piece.held is not None:
        return job_of(piece.name, piece.held)
    if piece.last and not ENDED.search(piece.text):
        return job_of(piece.name, {})
    limits = re.search(r'"Resource_List"\s*:\s*\{[^{}]*"walltime"\s*:\s*"([0-9:]+)"', piece.text)
    key = re.search(rf'"{TAG}"\s*:\s*"?({KEY.pattern})"?\s*[,}}]', piece.text)
    given: dict[str, Any] = values(piece.text, READ, "Variable_List")
    given |= {"Resource_List": {"walltime": limits[1]}} if limits else {}
    return job_of(piece.name, given | ({"Variable_List": {TAG: key[1]}} if key else {}))


def job_of(job_id: str, given: object) -> Job | None:
    """One job, or None when it has no id. A letter that is not known is UNKNOWN."""
    if not isinstance(given, dict) or not JOB_ID.fullmatch(job_id):
        return None
    letter = str(given.get("job_state", ""))
    state = JOB_STATES.get(letter, JobState.UNKNOWN)
    status = status_of(given.get("Exit_status"))
    resources, variables = given.get("Resource_List"), given.get("Variable_List")
    return Job(
        id=job_id,
        state=state,
        node=first_host(text(given, "exec_host")),
        queue=text(given, "queue"),
        name=text(given, "Job_Name"),
        comment=comment_of(letter, given.get("comment"), given.get("Hold_Types")),
        exit_status=status,
        submitted=moment(given.get("qtime")),
        started=moment(given.get("stime")),
        ended=moment(given.get("obittime")),
        walltime_s=seconds(resources.get("walltime")) if isinstance(resources, dict) else None,
        session=tag(variables),
        starts=count(given.get("run_count")),
        cause=cause(state, status),
    )


def cause(state: JobState, status: int | None) -> str | None:
    """Why a job ended; one that has no exit status was deleted while it waited."""
    if state is not JobState.COMPLETED:
        return None
    return "cancelled" if status is None else CAUSES.get(status)


def text(given: dict[str, Any], name: str) -> str | None:
    """A value that is text and not empty, or None; numbers come as numbers, also where they are names."""
    value = given.get(name)
    return str(value)[:1000] if isinstance(value, str | int) and str(value) else None


def tag(variables: object) -> str | None:
    """The session's key in Variable_List, an object here."""
    value = variables.get(TAG) if isinstance(variables, dict) else None
    return str(value) if isinstance(value, str | int) and KEY.fullmatch(str(value)) else None


def moment(value: object) -> float | None:
    """Epoch seconds of `Sun Nov 22 07:28:47 2026`, the server's local time, which is taken to be ours."""
    found = re.fullmatch(
        r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +([0-9]{1,2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([0-9]{4})", str(value)
    )
    if not found or found[1] not in MONTHS:
        return None
    day, hour, minute, second, year = (int(found[part]) for part in (2, 3, 4, 5, 6))
    with suppress(ValueError, OverflowError):
        return time.mktime((year, MONTHS.index(found[1]) + 1, day, hour, minute, second, 0, 0, -1))
    return None
