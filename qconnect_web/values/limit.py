"""What a field of a launch form can hold at least or at most, and whose limit that is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Limit:
    """One bound of one field: `min` or `max`, the other is None; amounts of memory and time are texts.

    `source` is `app`, `site` or `queue`, and `queue` names that queue. Cores and memory are those of a `job` or of each
    `node`: a job has its cores on every one of its nodes, and its memory in parts.
    """

    field: str
    source: str
    min: int | str | None = None
    max: int | str | None = None
    queue: str | None = None
    per: str = "job"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
