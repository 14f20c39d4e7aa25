"""The time, read once for all that is decided together."""

from __future__ import annotations

import time
from typing import NamedTuple


class Now(NamedTuple):
    """One moment by both clocks, in seconds: that of every machine (`epoch`), and the one that never jumps."""

    epoch: float
    monotonic: float

    @property
    def ahead(self) -> float:
        """What a monotonic time is given to be one of the clock that all servers have."""
        return self.epoch - self.monotonic


def now() -> Now:
    """This moment."""
    return Now(time.time(), time.monotonic())
