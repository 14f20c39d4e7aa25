"""Sessions that were written down but have no job id: whose submission is still under way, and whose job to adopt."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import replace
from pathlib import Path

from ..values.job import Job
from ..values.session import Record
from . import timings
from .store import Store


def process_start(pid: int) -> str | None:
    """The start time of a process in clock ticks since boot (proc(5), stat field 22); None if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def submitter() -> str:
    """This process, told from every other one that ever had its number: `host:pid:start time`."""
    return f"{socket.gethostname()}:{os.getpid()}:{process_start(os.getpid())}"


def abandoned(record: Record, now: float) -> bool:
    """Whether whoever wrote this intent can no longer be submitting it, or has given up (no submitter)."""
    if record.submitter is None:
        return True
    host, _, process = record.submitter.partition(":")
    pid, _, start = process.partition(":")
    if host == socket.gethostname() and pid.isdigit() and process_start(int(pid)) != start:
        return True
    return now - record.created > timings.SUBMIT_WITHIN


def adopted(records: list[Record], mine: list[Job], store: Store) -> dict[str, str]:
    """The jobs of intents, by their tags: {session key: job id}; drops intents that came to nothing."""
    now = time.time()
    found = {job.session: job.id for job in mine if job.session}
    for record in records:
        if record.key not in found and abandoned(record, now) and now - record.created > timings.LATE_BY:
            store.remove(record.key)
    return {record.key: found[record.key] for record in records if record.key in found}


def write_late(job_ids: dict[str, str], store: Store) -> None:
    """Writes the job ids {session key: job id} into records that have none yet; raises OSError (disk full)."""
    for key, job_id in job_ids.items():
        facts = store.read(key)  # anew: the session may have been stopped, or removed, meanwhile
        if facts and facts.record.job_id is None:
            store.write(replace(facts.record, job_id=job_id, submitted=facts.record.created))
