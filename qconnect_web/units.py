"""Walltimes and amounts of memory: the texts that people and schedulers write, and the numbers behind them."""

from __future__ import annotations

import re

from .errors import BadRequest

MEMORY_UNITS = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


def parse_walltime(text: str) -> int:
    """Seconds of `HH:MM:SS`, `MM:SS` or `D-HH:MM:SS`; raises BadRequest."""
    found = re.fullmatch(r"(?:([0-9]{1,3})-)?(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-9]{2})", text)
    if not found or int(found[3]) > 59 or int(found[4]) > 59:
        raise BadRequest(f"The walltime {text[:40]!r} is not a time. Write hours:minutes:seconds, like 04:00:00.")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if total < 60:
        raise BadRequest(f"The walltime {text!r} is less than a minute. Ask for 00:01:00 or more.")
    return total


def format_walltime(seconds: int) -> str:
    """`HH:MM:SS` of a number of seconds, hours unbounded, as every scheduler here reads it."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def parse_memory(text: str) -> int:
    """Bytes of `4GB`, `512 mb` (1024-based, as PBS counts); raises BadRequest."""
    found = re.fullmatch(r"([0-9]{1,7})\s?([KMGT])B?", text.strip(), re.IGNORECASE)
    if not found or not int(found[1]):
        raise BadRequest(f"The memory {text[:40]!r} is not a size. Write a number and a unit, like 4GB.")
    return int(found[1]) * MEMORY_UNITS[found[2].upper() + "B"]


def format_memory(size: int) -> str:
    """The shortest exact `<n><unit>` of a number of bytes, never below KB."""
    for unit in ("TB", "GB", "MB"):
        if size % MEMORY_UNITS[unit] == 0:
            return f"{size // MEMORY_UNITS[unit]}{unit}"
    return f"{-(-size // 1024)}KB"
