"""When two job ids mean one job: sites may have their batch system print them without the server's name."""

from __future__ import annotations


def same_job(one: str, other: str) -> bool:
    """Whether `123.server` and `123` (or the same twice) are one job; `123.a` and `123.b` are two."""
    if one == other:
        return True
    return one.partition(".")[0] == other.partition(".")[0] and ("." in one) != ("." in other)
