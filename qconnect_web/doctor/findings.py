"""What a check found, and how long it may take."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

WAIT_S = 8.0
"""Seconds for each check; they run side by side."""


class Level(str, Enum):
    """How bad it is, in rising order."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line of the answer: what was looked at, how it is, what was found, and what to do about it."""

    check: str
    level: Level
    found: str
    advice: str = ""


def worst(findings: Sequence[Finding]) -> Level:
    """The level of the whole."""
    return max((finding.level for finding in findings), key=list(Level).index, default=Level.OK)


def to_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """`{"level": "ok", "findings": [{"check", "level", "found", "advice"}]}`."""
    return {"level": worst(findings).value, "findings": [asdict(finding) for finding in findings]}


def rough(size: int) -> str:
    """A number of bytes in whole GB or MB, as people say it."""
    return f"{size >> 30} GB" if size >= 1 << 30 else f"{size >> 20} MB"


async def in_time(check: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    """What `look` finds, or that it hangs: in a thread that nobody waits for, as a dead file server may hold it."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Finding]] = loop.create_future()

    def settle(found: list[Finding] | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error:
            answer.set_exception(error)
        else:
            answer.set_result(found or [])

    def work() -> None:
        found, fault = None, None
        try:
            found = look()
        except Exception as error:
            fault = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, found, fault)

    threading.Thread(target=work, name=f"qconnect-doctor-{check}", daemon=True).start()
    try:
        return await asyncio.wait_for(answer, WAIT_S)
    except asyncio.TimeoutError:
        advice = "A file system or a program that it needs hangs. Try `df` and `mount`; tell your administrators."
        return [Finding(check, Level.PROBLEM, f"There was no answer within {WAIT_S:g} seconds.", advice)]
    except OSError as error:
        advice = "Look at this file or folder by hand."
        return [Finding(check, Level.PROBLEM, f"{error.filename or check}: {error.strerror}.", advice)]
