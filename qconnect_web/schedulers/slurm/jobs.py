"""Slurm's jobs: from `squeue --json` of 22.05 and later, and from `scontrol -o show job`. Pure and total.

The JSON's form changed: a number was `10` and is `{"set": true, "number": 10}` since 23.02, a state was `"RUNNING"`
and is `["RUNNING"]`. Where Slurm was built without JSON, `scontrol -o show job` tells the same in lines.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from ...errors import SchedulerFailed
from ...values.job import Job, JobState
from ..commands import Done
from ..json_pieces import Piece, documents, pieces
from ..pbs.common import KEY, TAG, distinct
from .argv import CLUSTER, NUMBER, check_answer, check_errors, limit, on
from .states import cause, reason, state_of

JOBS = r'"jobs"\s*:\s*\['
DECODER = json.JSONDecoder(strict=False)

FIELDS = re.compile(r"(?:^|(?<= ))([A-Z][A-Za-z:/]*)=(.*?)(?= [A-Z][A-Za-z:/]*=|$)")
"""`Name=value` of `scontrol -o`, whose values may hold spaces."""


def jobs_of_json(done: Done, user: str, uid: int | None = None, *, named: bool = False) -> list[Job]:
    """The user's jobs in what `squeue --json` said: a document for each cluster that was asked.

    With `named`, each id names the job's cluster; without, of jobs of one number that with a session's tag is told.
    Raises SchedulerUnavailable, SchedulerFailed for an answer that holds errors and no job.
    """
    check_answer(done)
    try:
        told = [(found, data.get("errors")) for data in documents(done.out, DECODER) for found in _list_in(data)]
        check_errors([errors for _, errors in told], any(found for found, _ in told))
        given = [item for found, _ in told for item in found]
    except ValueError as error:
        given = [_held(piece) for piece in pieces(done.out, JOBS, _beginning(done.out), DECODER)]
        if not given:
            raise SchedulerFailed(f"Slurm's answer is no JSON ({error}): {done.out[:120]!r}") from None
    mine = [item for item in given if isinstance(item, dict) and owned(item, user, uid)]
    read = ((job, cluster_in(item)) for item in mine if (job := job_of_json(item)))
    return distinct(replace(job, id=on(cluster, job.id)) if named else job for job, cluster in read)


def cluster_in(given: Mapping[str, Any]) -> str:
    """The name of a job's cluster, or ""."""
    name = given.get("cluster")
    return name if isinstance(name, str) and re.fullmatch(CLUSTER, name) else ""


def _list_in(data: object) -> list[list[Any]]:
    """The list of jobs in one document; raises ValueError when there is none."""
    found = data.get("jobs") if isinstance(data, dict) else None
    if not isinstance(found, list):
        raise ValueError("no list of jobs")
    return [found]


def _beginning(text: str) -> str:
    """How each job begins: as the first one does, all of whose kind have the same members in the same order."""
    first = re.search(rf'{JOBS}\s*\{{\s*("[^"]*")', text)
    return rf"()(?=\{{\s*{re.escape(first[1])})" if first else "()"


def _held(piece: Piece) -> dict[str, Any]:
    """One job of an answer that is no JSON; of one that cannot be read, its id, so that it is UNKNOWN."""
    if piece.held is not None:
        return piece.held
    job_id = re.search(r'"job_id"\s*:\s*(?:\{[^{}]*"number"\s*:\s*)?([0-9]{1,10})', piece.text)
    return {"job_id": int(job_id[1])} if job_id else {}


def owned(given: Mapping[str, Any], user: str, uid: int | None) -> bool:
    """Whether a job is this user's: by the number where there is one, since a name may be missing, cut or odd."""
    told = number(given.get("user_id"))
    if uid is not None and told is not None:
        return told == uid
    return bool(given.get("user_name", user) == user)


def jobs_of_lines(done: Done, user: str, uid: int | None = None) -> list[Job]:
    """The user's jobs in what `scontrol -o show job` said; an id that stands there twice is not believed.

    Others' names may hold anything, a whole line too.
    """
    if not (done.status == 0 and done.out.strip() == "No jobs in the system"):
        check_answer(done)
    found: dict[str, Job] = {}
    for line in done.out.splitlines():
        given = {name: value.strip() for name, value in FIELDS.findall(line[:20000])}
        name, _, told = given.get("UserId", "").rpartition("(")
        mine = told == f"{uid})" if uid is not None else name == user
        if not mine or not (job := job_of_line(given)):
            continue
        found[job.id] = Job(job.id, JobState.UNKNOWN) if job.id in found else job
    return list(found.values())


@dataclass(frozen=True)
class Said:
    """What both forms say of a job, before it is understood: code and signal of its exit, states as words."""

    states: tuple[str, ...]
    reason: str
    code: int
    signal: int


def job_of_json(given: Mapping[str, Any]) -> Job | None:
    """One job of the JSON, of either form."""
    job_id, state = number(given.get("job_id")), given.get("job_state")
    if not job_id or job_id >= 10**10:
        return None
    states = tuple(str(word) for word in state) if isinstance(state, list) else (str(state),)
    said = Said(states, plain(given.get("state_reason")) or "", *exit_of(given.get("exit_code")))
    return job(
        str(job_id),
        said,
        node=plain(given.get("batch_host")),
        queue=plain(given.get("partition")),
        name=plain(given.get("name")),
        submitted=number(given.get("submit_time")),
        started=number(given.get("start_time")),
        ended=number(given.get("end_time")),
        walltime_s=minutes(number(given.get("time_limit"))),
        comment=plain(comment_in(given)),
        restarts=number(given.get("restart_cnt")),
    )


def job_of_line(given: Mapping[str, str]) -> Job | None:
    """One job of `scontrol -o`."""
    job_id = given.get("JobId", "")
    code = re.fullmatch(r"([0-9]{1,6}):([0-9]{1,4})", given.get("ExitCode", ""))
    said = Said(
        (given.get("JobState", "").partition(" ")[0],),  # CANCELLED by 1000
        given.get("Reason", ""),
        int(code[1]) if code else 0,
        int(code[2]) if code else 0,
    )
    if not NUMBER.fullmatch(job_id):
        return None
    restarts = given.get("Restarts", "")
    return job(
        job_id,
        said,
        node=plain(given.get("BatchHost")),
        queue=plain(given.get("Partition")),
        name=plain(given.get("JobName")),
        submitted=moment(given.get("SubmitTime")),
        started=moment(given.get("StartTime")),
        ended=moment(given.get("EndTime")),
        walltime_s=limit(given.get("TimeLimit", "")),
        comment=plain(given.get("Comment")),
        restarts=int(restarts) if re.fullmatch("[0-9]{1,6}", restarts) else None,
    )


def job(
    job_id: str,
    said: Said,
    *,
    node: str | None,
    queue: str | None,
    name: str | None,
    submitted: float | None,
    started: float | None,
    ended: float | None,
    walltime_s: int | None,
    comment: str | None,
    restarts: int | None,
) -> Job:
    """The job that either form speaks of. Start and end are plans until they have come true."""
    word, state = state_of(said.states, said.reason)
    over, begun = state is JobState.COMPLETED, state in (JobState.RUNNING, JobState.SUSPENDED, JobState.COMPLETED)
    tag = re.fullmatch(rf"{TAG}=({KEY.pattern})", comment or "")
    return Job(
        id=job_id,
        state=state,
        node=node if begun else None,
        queue=queue,
        name=name,
        comment=None if state is JobState.RUNNING else reason(said.reason),
        exit_status=exit_status(word, said, started is not None and node is not None) if over else None,
        submitted=submitted or None,
        started=(started or None) if begun else None,
        ended=(ended or None) if over else None,
        walltime_s=walltime_s,
        session=tag[1] if tag else None,
        starts=None if restarts is None else restarts + 1,
        cause=cause(said.states, said.reason) if over else None,
    )


def exit_status(word: str, said: Said, ran: bool) -> int | None:
    """The script's own status, or 256 + a signal as TORQUE has it; None for a job that never ran."""
    if word in ("CANCELLED", "REVOKED") and not ran:
        return None
    return 256 + said.signal if said.signal else said.code


# ------------------------------------------------------------------ values
def number(value: object) -> int | None:
    """A number of either form; None when it is not set, infinite, or none."""
    if isinstance(value, dict):
        value = value.get("number") if value.get("set", True) and not value.get("infinite") else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None


def plain(value: object) -> str | None:
    """Text that says something, or None."""
    return value[:1000] if isinstance(value, str) and value not in ("", "(null)", "N/A", "None") else None


def comment_in(given: Mapping[str, Any]) -> object:
    """The user's comment; one of three since 24.05."""
    comment = given.get("comment")
    return comment.get("job") if isinstance(comment, dict) else comment


def exit_of(value: object) -> tuple[int, int]:
    """(code, signal) of a wait status, or of the object that newer versions write."""
    if isinstance(value, dict):
        signal = value.get("signal")
        told = signal.get("signal_id", signal.get("id")) if isinstance(signal, dict) else signal
        return number(value.get("return_code")) or 0, number(told) or 0
    status = number(value) or 0
    return status >> 8 & 0xFF, status & 0x7F


def minutes(value: int | None) -> int | None:
    """Seconds of Slurm's minutes; its greatest numbers mean "unlimited"."""
    return value * 60 if value and value < 1 << 30 else None


def moment(text: object) -> float | None:
    """Epoch seconds of `2026-11-22T06:55:56`, local time."""
    if isinstance(text, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", text):
        with suppress(ValueError, OverflowError):
            return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    return None
