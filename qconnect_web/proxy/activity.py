"""Whether somebody works with a display, as far as the number of bytes can tell."""

from __future__ import annotations

from collections.abc import Callable


class Activity:
    def __init__(self, on_input: Callable[[], None]) -> None:
        self._on_input = on_input
        self._up = 0

    def __call__(self, up: int, down: int) -> None:
        if up > self._up:
            self._up = up
            self._on_input()
