"""What a session's state means to its user: one sentence, and the session as JSON."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from .models import Job, JobState, Session, SessionState

EXIT_WORDS = {
    271: "it was cancelled",  # 256 + SIGTERM (torque.md, Ends)
    265: "it was killed",
    137: "it was killed (signal 9); it may have used more memory than it asked for",
    139: "it crashed (signal 11)",
    127: "its program was not found",
    126: "its program could not be run",
    -11: "its walltime was over",
    -10: "it used more memory than it asked for",
    -12: "it used more processor time than it asked for",
}
"""Exit statuses of a job in words; negative ones are TORQUE's own (pbs_job.h)."""


def exit_words(status: int | None) -> str:
    """Why a job ended, as far as its exit status tells."""
    if status is None:
        return "it was cancelled before it started"
    return EXIT_WORDS.get(status, f"its exit status was {status}")


def reason(session: Session) -> str | None:
    """What the session waits for, or why it ended; None when there is nothing to say."""
    job, state = session.job, session.state
    where = f" on {job.node}" if job.node else ""
    if session.end and state.final:
        return session.end.message
    if state is SessionState.FAILED or (state is SessionState.ENDED and job.exit_status):
        return f"The job ended: {exit_words(job.exit_status)}."
    sentences = {
        SessionState.QUEUED: f"Waiting in the queue{_queue(job)}.{_comment(job)}",
        SessionState.HELD: f"The job is held{_queue(job)} and starts when the hold is released.{_comment(job)}",
        SessionState.STARTING: f"The job is running{where}; its display is starting.",
        SessionState.SUSPENDED: f"The scheduler has paused the job{where}; it goes on by itself.",
        SessionState.ENDING: f"The session is ending{where}.",
        SessionState.ENDED: "The session was stopped." if session.record.stopped else "The job has ended.",
        SessionState.UNREACHABLE: "The scheduler has not said anything about this job yet; asking again.",
    }
    return sentences.get(state)


def _queue(job: Job) -> str:
    return f" {job.queue}" if job.queue else ""


def _comment(job: Job) -> str:
    return f" The scheduler says: {job.comment.strip()}" if job.comment and job.comment.strip() else ""


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
        "title": record.title,
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
