"""The versions of a module that the module system of this machine offers: Lmod's, or Environment Modules'."""

from __future__ import annotations

import asyncio
import re
import time

from ..errors import SchedulerFailed
from ..schedulers.commands import run

WITHIN = 10.0
"""Seconds for an answer; a cold cache of Lmod on a slow file system takes some."""
FRESH = 600.0
"""Seconds for which an answer is used: sites install a version now and then."""
AGAIN_AFTER = 60.0
"""Seconds before it is asked again after a failure."""
MOST_NAMES, MOST_VERSIONS = 200, 200
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+/-]{0,99}")
SCRIPT = """
for file in /etc/profile.d/{lmod,z00_lmod,modules}.sh /etc/profile; do
  type -t module >/dev/null && break
  [[ -r $file ]] && . "$file" >/dev/null 2>&1
done
type -t module >/dev/null || exit 127
module -t avail "$1" 2>&1
"""
"""As a job looks for `module` (jobscripts/program.sh); both systems answer on standard error, one module a line."""


class Modules:
    """Answers, remembered; each module is asked after once at a time."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, list[str] | None]] = {}
        self._asking: dict[str, asyncio.Task[list[str] | None]] = {}

    async def versions(self, name: str) -> list[str] | None:
        """The versions of a module, the newest first; None where there is no module system, or no answer."""
        until, found = self._known.get(name, (0.0, None))
        if time.monotonic() < until or not NAME.fullmatch(name):
            return found
        if name not in self._asking:
            task = asyncio.create_task(self._ask(name))
            self._asking[name] = task
            task.add_done_callback(lambda _: self._asking.pop(name, None))
        return await asyncio.shield(self._asking[name])

    async def _ask(self, name: str) -> list[str] | None:
        try:
            done = await run(["bash", "-c", SCRIPT, "bash", name], timeout=WITHIN)
        except SchedulerFailed:
            found = None
        else:
            found = None if done.status == 127 else versions_of(name, f"{done.out}\n{done.err}")
        if len(self._known) >= MOST_NAMES:
            self._known.clear()
        self._known[name] = (time.monotonic() + (AGAIN_AFTER if found is None else FRESH), found)
        return found


def versions_of(name: str, answer: str) -> list[str]:
    """The versions of a module in a terse list; marks like `(default)` and `<aL>` are left out."""
    line = re.compile(rf"^{re.escape(name)}/([A-Za-z0-9][A-Za-z0-9_.+/-]{{0,99}}?)/?(?: ?[(<{{].*)?$", re.MULTILINE)
    return sorted(dict.fromkeys(line.findall(answer)), key=_order, reverse=True)[:MOST_VERSIONS]


def _order(version: str) -> list[tuple[int, int, str]]:
    """Numbers as numbers, and any of them after a word: `5.11` is newer than `5.9` and than `5.rc1`."""
    parts = re.findall(r"[0-9]+|[A-Za-z]+", version)
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]
