"""Session folders as jobs leave them, for jobs that run, with the benchmark's own upstream where xpra would be.

The jobs are real ones of the embedded scheduler that do nothing, so that the product is measured as it is: its poll
loop, its store, its checks of owner and keys.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qconnect_web.schedulers.local.scheduler import LocalScheduler
from qconnect_web.sessions.store import Store
from qconnect_web.values.job import JobSpec
from qconnect_web.values.session import Record
from tests.support.session_run import Run

KEYS = ("server.pem", "server.key", "client.pem", "client.key")
SPEC = JobSpec("bench", memory="1MB", walltime="01:00:00")


@contextmanager
def running_sessions(home: Path, count: int) -> Iterator[list[Run]]:
    """So many sessions of one user, their jobs started and their displays not yet published; all share their keys."""
    share = home / ".local/share/qconnect"
    store = Store(share / "sessions")
    scheduler = LocalScheduler(share / "local", max_running=count)
    runs: list[Run] = []
    try:
        for _ in range(count):
            runs.append(_start(store, scheduler))
        for run in runs[1:]:
            for name in KEYS:
                shutil.copy2(runs[0].folder / name, run.folder / name)
            run.fingerprint = runs[0].fingerprint
        yield runs
    finally:
        for run in runs:
            asyncio.run(scheduler.cancel(run.job_id))


def _start(store: Store, scheduler: LocalScheduler) -> Run:
    key = secrets.token_hex(8)
    record = Record(key=key, app="xterm", title="XTerm", spec=SPEC, command=("xterm",), created=time.time())
    assert store.create(record)
    script = "exec sleep 3600\n"
    job_id = asyncio.run(scheduler.submit(script, SPEC, session=key, folder=store.folder(key)))
    store.write(Record(**{**vars(record), "job_id": job_id, "submitted": time.time()}))
    return Run(store, key, job_id).keys()
