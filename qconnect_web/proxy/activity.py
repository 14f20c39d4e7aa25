"""Whether somebody works with a display: what keeps Jupyter from being stopped as idle.

A display's client answers each picture and pings every few seconds, so bytes from the browser alone tell nothing: a
video in a forgotten tab would keep the server for ever. Our pages know better and say in their heartbeat that the user
moved the mouse, clicked or typed. Only for programs, which open a display with a token and without a page, the rate
decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from .metrics import BYTES

INPUT_RATE = 200.0
"""Bytes a second from a program: a client's pings and their answers stay below half of it, typing does not."""


def note_input(settings: dict[str, Any]) -> None:
    """The user did something now (`settings` are the web application's); Jupyter and JupyterHub look at this."""
    settings.setdefault("last_activity_times", {})["qconnect"] = datetime.now(timezone.utc)


class Tally:
    """Takes a pump's reports of bytes up and down so far; `on_input` is called when a program's rate is a user's."""

    def __init__(self, on_input: Callable[[], None] | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._on_input, self._clock = on_input, clock
        self._up = self._down = 0
        self._at = clock()

    def __call__(self, up: int, down: int) -> None:
        more_up, more_down, now = up - self._up, down - self._down, self._clock()
        seconds = max(now - self._at, 1.0)
        BYTES.labels("up").inc(more_up)
        BYTES.labels("down").inc(more_down)
        self._up, self._down, self._at = up, down, now
        if self._on_input and more_up / seconds >= INPUT_RATE:
            self._on_input()
