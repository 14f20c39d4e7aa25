"""The site's audit file, which is written from a thread of its own: a disk that hangs or is full holds nobody up."""

from __future__ import annotations

import json
import logging
import queue
import threading
from contextlib import suppress
from pathlib import Path

from ..private_files import append_private
from .problems import Problems

WAITING = 1000
"""Lines that wait for the disk at most; what comes then is lost, and counted."""
PATIENCE = 2.0
"""Seconds that are waited at the end for what is not written yet."""
FILE = "audit file"


class AuditFile:
    """Appends lines. What cannot be written is lost; how many lines that were stands before the next one."""

    def __init__(self, path: Path, log: logging.Logger) -> None:
        self._path, self._problems = path, Problems(log)
        self._lines: queue.Queue[str | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="qconnect-audit", daemon=True)
        self._overflown = self._failed = self._told = 0  # each is counted by one thread alone

    def put(self, line: str) -> None:
        """Has a line written soon; never waits."""
        if self._thread.ident is None:
            self._thread.start()
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._overflown += 1

    def close(self) -> None:
        """Waits until all is written, for a few seconds at most."""
        if self._thread.ident is not None:
            with suppress(queue.Full):
                self._lines.put(None, timeout=PATIENCE)
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            self._failed += 1
            with self._problems.over(FILE, "The audit file cannot be written, and lines are lost until it can. "):
                lost = self._overflown + self._failed - 1 - self._told
                gap = [json.dumps({"event": "lost", "lines": lost})] if lost else []
                append_private(self._path, "".join(f"{text}\n" for text in (*gap, line)).encode())
                self._told += lost
                self._failed -= 1
