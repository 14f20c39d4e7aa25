"""What a session's state means to its user: one sentence, and the session as JSON."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from typing import Any

from ..values.job import Job, JobState
from ..values.session import FORGOTTEN, UNTOLD, Record, Session, SessionState

CAUSE_WORDS = {
    "cancelled": "it was cancelled",
    "walltime": "its walltime was over",
    "memory": "it used more memory than it asked for",
    "cpu-time": "it used more processor time than it asked for",
    "killed": "it was killed",
    "not-started": "its node could not start it",
    "node-failed": "its node failed",
    "preempted": "the scheduler took its place for another job",
}
"""Job.cause as the end of a sentence: what the scheduler knows and the exit status of the script does not tell."""
EXIT_WORDS = {
    137: "it was killed (signal 9); it may have used more memory than it asked for",
    139: "it crashed (signal 11)",
    127: "its program was not found",
    126: "its program could not be run",
    # our own scripts' (ending.sh, runtime.sh), which say more in ended.json if only they can
    70: "it could not use its session folder on its node, where that must be shared, writable and have room. Look for "
    "a full disk, a quota that is used up, or a file system that is read-only or missing there",
}
"""Exit statuses of a job's script in words; what a scheduler adds is in Job.cause."""
NOISE = re.compile(
    r"^(?:XIO:  fatal IO error .*|      after \d+ requests \(\d+ known processed\) with \d+ .*)\n?", re.M
)
"""What Xlib prints when a display is closed before its program: harmless, and alarming (_XDefaultIOError)."""
STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} "
REFUSALS = re.compile(
    rf"(?:^{STAMP}(?:Error: ssl connection failed:| packet from .*| received on .*| packet looks like .*"
    rf"|Error: wss request failure| for client .*| \[SSL: PEER_DID_NOT_RETURN_A_CERTIFICATE\] .*"
    rf"| request: '.*(?:(?:\n(?!{STAMP}).*){{0,16}}(?=\n{STAMP} \[SSL))?)\n)+",
    re.M,
)
"""xpra's lines about visitors whom it turned away, those of several at once mixed; a greeting of TLS is any bytes."""
FROM_ELSEWHERE = re.compile(rf"^{STAMP} (?:packet from|for client) (?!(?:::ffff:)?127\.|::1,)", re.M)


def without_noise(log: str) -> str:
    """A log without the lines that mean nothing, such as the refusals of the job's own probes, made on its node."""
    return REFUSALS.sub(lambda found: found[0] if FROM_ELSEWHERE.search(found[0]) else "", NOISE.sub("", log))


def end_words(job: Job) -> str:
    """Why a job ended, as far as the scheduler tells; a status over 256 is a signal that ended the whole job."""
    status = job.exit_status
    if job.cause == "cancelled" and status is None:
        return "it was cancelled before it started"
    if job.cause in CAUSE_WORDS:
        return CAUSE_WORDS[job.cause]
    if status is None:
        return "the scheduler does not say why"
    if 256 < status < 256 + 65:
        return f"it was ended by signal {status - 256}"
    return EXIT_WORDS.get(status, f"its exit status was {status}")


def reason(session: Session) -> str | None:
    """What the session waits for, or why it ended; None when there is nothing to say."""
    job, state = session.job, session.state
    where = f" on {job.node}" if job.node else ""
    if session.end and (state.final or state is SessionState.ENDING):  # the job's own word comes first, by far
        return session.end.message
    if session.damage:
        return session.damage
    if state.final:
        return _over(session)
    if session.record.refused:
        return f"The session could not be ended yet, which is tried again by itself. {session.record.refused}"
    sentences = {
        SessionState.QUEUED: f"Waiting in {_queue(job)}.{_comment(job)}",
        SessionState.HELD: f"The job is held in {_queue(job)} and starts when the hold is released.{_comment(job)}",
        SessionState.STARTING: f"The job is running{where}; its display is starting.",
        SessionState.SUSPENDED: f"The scheduler has paused the job{where}; it goes on by itself.",
        SessionState.ENDING: f"The session is ending{where}.",
        SessionState.UNREACHABLE: _comment(job).strip()
        or "The scheduler has not said anything about this job yet; asking again.",
    }
    return sentences.get(state)


def _over(session: Session) -> str:
    """Why a session is over whose job has not told it."""
    job = session.job
    if session.state is SessionState.ENDED and not job.exit_status:
        forgotten = job.cause == FORGOTTEN and not session.stopping
        untold = "The batch system does not know the job any more, which has not said how it ended."
        return untold if forgotten else "The session was stopped." if session.record.stopped else "The job has ended."
    silent = session.connection and job.cause in UNTOLD and session.state is SessionState.FAILED
    node = f" The job has not said how: its node{f' {job.node}' if job.node else ''} may have failed." if silent else ""
    return f"The job ended: {end_words(job)}.{node}"


def _queue(job: Job) -> str:
    return f"the queue {job.queue}" if job.queue else "the queue"


def _comment(job: Job) -> str:
    return f" The scheduler says: {job.comment.strip()}" if job.comment and job.comment.strip() else ""


def title(record: Record) -> str:
    """What its user calls a session: the name that they gave it, else the title of its app.

    The endings that the command line gives to names (`_int_gui`, `int_tmux`, `int_vnc`) are for lists of jobs.
    """
    name = record.spec.name.removesuffix("_int_gui").removesuffix("int_tmux").removesuffix("int_vnc").removesuffix("_")
    return record.title if name in (record.app, "") else name


def walltime_left(session: Session, now: float | None = None) -> int | None:
    """Seconds until the scheduler ends the job, never negative; None while it does not run."""
    job = session.job
    if job.state not in (JobState.RUNNING, JobState.SUSPENDED) or job.started is None:
        return None
    limit = job.walltime_s or session.record.spec.walltime_s
    return max(0, int(job.started + limit - (time.time() if now is None else now)))


def iso(moment: float | None) -> str | None:
    """An epoch time as ISO 8601 in UTC, or None."""
    return None if moment is None else datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe(session: Session, base_url: str) -> dict[str, Any]:
    """The session as REST, the page and the events speak of it; `base_url` is Jupyter's, with its slashes."""
    record, job = session.record, session.job
    ended = session.end.time if session.end else job.ended
    return {
        "id": session.id,
        "app": record.app,
        "title": title(record),
        "kind": record.kind,
        "window": record.window,
        "name": record.spec.name,
        "state": session.state.value,
        "reason": reason(session),
        "url": f"{base_url}qconnect/{session.id}/",
        "created": iso(record.created),
        "started": iso(job.started),
        "ended": iso(ended) if session.state.final else None,
        "walltime_left": walltime_left(session),
        "exit_status": session.end.exit_status if session.end else job.exit_status,
        "stale_since": iso(session.stale_since),
        "command": list(record.command),
        "spec": record.spec.to_json(),
        "job": job.to_json(),
    }
