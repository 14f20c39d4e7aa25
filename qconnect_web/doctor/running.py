"""The probe that a server runs for its pages: one at a time, and what the last one found."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .findings import Finding
from .probe import Probe

if TYPE_CHECKING:
    from ..config import QConnect
    from ..sessions.manager import SessionManager

KEY = "qconnect_probe"
CLOSE_S = 5.0
"""Seconds that a server which stops waits for the job's end to be sent."""


class RunningProbe:
    """At most one probe under way; who comes while there is one shares it."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._words = ""
        self._found: list[Finding] = []

    def begin(self, settings: QConnect, manager: SessionManager) -> None:
        """Starts one unless it is there already."""
        if self._task is None or self._task.done():
            self._words, self._found = "Submitting the job", []
            self._task = asyncio.create_task(self._run(Probe(settings, manager, self._tell)))

    async def close(self) -> None:
        """Breaks it off: its job is told to end."""
        if self._task and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CLOSE_S)

    def to_json(self) -> dict[str, Any]:
        """`{"running": false, "words": "", "findings": [...]}`; `words` say what it waits for."""
        running = self._task is not None and not self._task.done()
        findings = [asdict(finding) for finding in self._found]
        return {"running": running, "words": self._words if running else "", "findings": findings}

    def _tell(self, words: str) -> None:
        self._words = words

    async def _run(self, probe: Probe) -> None:
        self._found = await probe.run({})


def probe_of(settings: dict[str, Any]) -> RunningProbe:
    """The one of a web application, kept in its settings."""
    found: RunningProbe = settings.setdefault(KEY, RunningProbe())
    return found
