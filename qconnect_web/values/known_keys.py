"""Refuses data with keys that nobody knows: a value that is read is the value that was written."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ..errors import BadRequest


def known(cls: type[Any], data: dict[str, Any]) -> None:
    """Raises BadRequest unless `data` has exactly the keys that `cls` knows (those with defaults may be missing)."""
    extra = set(data) - {item.name for item in fields(cls)}
    if extra:
        raise BadRequest(f"A {cls.__name__} has no {', '.join(sorted(extra))}.")
