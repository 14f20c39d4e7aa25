"""Walltimes and amounts of memory: the texts that people and schedulers write, and the numbers behind them.

The browser reads the same texts (`core/amounts`); `tests/cases/amounts.json` holds both to one table.
"""

from __future__ import annotations

import re
from fractions import Fraction

from .errors import BadRequest

MEMORY_UNITS = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
MEMORY = re.compile(r"([0-9]{1,7}(?:[.,][0-9]{1,3})?)[ ]?(?:([kmgt])(?:i?b)?)?", re.IGNORECASE)
CLOCK = re.compile(r"(?:([0-9]{1,3})-)?([0-9]{1,4})(?::([0-5]?[0-9]))?(?::([0-5]?[0-9]))?")
NUMBER = "([0-9]{1,5}(?:[.,][0-9]{1,3})?)"
SPOKEN = re.compile(
    rf"(?:{NUMBER} ?d(?:ays?)?)? ?(?:{NUMBER} ?h(?:ours?|rs?)?)? ?(?:{NUMBER} ?m(?:in(?:ute)?s?)?)?", re.IGNORECASE
)


def parse_walltime(text: str) -> int:
    """Seconds of `HH:MM:SS`, `MM:SS`, `D-HH[:MM[:SS]]`, or of days, hours and minutes: `2h`, `90 min`, `1 day 12 h`.

    Raises BadRequest.
    """
    total = _clock(text.strip())
    if total is None:
        total = _spoken(text.strip())
    if total is None:
        raise BadRequest(
            f"The walltime {text[:40]!r} is not a time. Write hours:minutes:seconds, like 04:00:00, or 2h, or 90 min."
        )
    if total < 60:
        raise BadRequest(f"The walltime {text!r} is less than a minute. Ask for 00:01:00 or more.")
    return total


def _clock(text: str) -> int | None:
    """Seconds of a time with colons, as schedulers read it: after days, hours come first."""
    found = CLOCK.fullmatch(text)
    if not found:
        return None
    days, first, second, third = found.groups()
    if days is None and second is None:
        return None
    if days is None and third is None:  # minutes and seconds
        return int(first) * 60 + int(second) if int(first) < 60 else None
    return ((int(days or 0) * 24 + int(first)) * 60 + int(second or 0)) * 60 + int(third or 0)


def _spoken(text: str) -> int | None:
    """Seconds of numbers with their units, the larger ones first."""
    found = SPOKEN.fullmatch(text)
    if not text or not found:
        return None
    amounts = (_fraction(part or "0") for part in found.groups())
    return int(sum(amount * size for amount, size in zip(amounts, (86400, 3600, 60), strict=True)))


def format_walltime(seconds: int) -> str:
    """`HH:MM:SS` of a number of seconds, hours unbounded, as every scheduler here reads it."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def parse_memory(text: str) -> int:
    """Bytes of `4GB`, `512 mb`, `1.5g` (1024-based, as PBS counts); a number alone is gigabytes. Raises BadRequest."""
    found = MEMORY.fullmatch(text.strip())
    size = int(_fraction(found[1]) * MEMORY_UNITS[(found[2] or "G").upper() + "B"]) if found else 0
    if not size:
        raise BadRequest(f"The memory {text[:40]!r} is not a size. Write a number and a unit, like 4GB.")
    return size


def _fraction(number: str) -> Fraction:
    """A number with a decimal point, or a comma, exactly."""
    return Fraction(number.replace(",", "."))


def format_memory(size: int) -> str:
    """The shortest exact `<n><unit>` of a number of bytes, never below KB."""
    for unit in ("TB", "GB", "MB"):
        if size % MEMORY_UNITS[unit] == 0:
            return f"{size // MEMORY_UNITS[unit]}{unit}"
    return f"{-(-size // 1024)}KB"
