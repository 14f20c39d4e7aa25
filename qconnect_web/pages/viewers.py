"""Who of several viewers of one session decides on the size of its display: the one that was focused last."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

MIN_SIZE, MAX_SIZE = 64, 8192


@dataclass
class Seat:
    """One viewer: `turn` counts up with each focus, 0 before the first message."""

    viewer: str | None = None
    turn: int = 0
    size: tuple[int, int] | None = None


def size_of(value: Any) -> tuple[int, int] | None:
    """A size in CSS pixels as a page sent it, or None when it is none or nothing is shown."""
    if not isinstance(value, list) or len(value) != 2 or not all(type(side) is int for side in value):
        return None
    width, height = value
    return (width, height) if MIN_SIZE <= width <= MAX_SIZE and MIN_SIZE <= height <= MAX_SIZE else None


class Owners:
    """The viewers of one session, each known by the connection that speaks for it."""

    def __init__(self) -> None:
        self._seats: dict[object, Seat] = {}
        self._holders: dict[str, Seat] = {}
        self._turn = 0
        self.owner: dict[str, Any] | None = None
        """`{"viewer", "size"}` of the owner, or None while nobody shows the display."""
        self.moved = asyncio.Event()

    def join(self, key: object) -> None:
        """A viewer came; it owns nothing before it has said its size."""
        self._seats[key] = Seat()

    def leave(self, key: object) -> None:
        """A viewer went; if it was the owner, the one before it is again."""
        seat = self._seats.pop(key, None)
        if seat and seat.viewer:
            self._holders.pop(seat.viewer, None)
            self._decide()

    def update(self, key: object, viewer: str, asked: dict[str, Any]) -> None:
        """Notes what a viewer says of itself: its size (none while it is hidden), and that it was just focused."""
        seat = self._seats[key]
        before = (seat.viewer, seat.turn, seat.size)
        self._hold(seat, viewer)
        seat.size = size_of(asked.get("size"))
        if asked.get("focus") is True or not seat.turn:
            self._turn += 1
            # Whoever comes first owns the size; a tab that opens in the background must not take it.
            seat.turn = self._turn if asked.get("focus") is True or len(self._seats) == 1 else 1
        if before != (seat.viewer, seat.turn, seat.size):  # most heartbeats say nothing new: they cost no look around
            self._decide()

    def _hold(self, seat: Seat, viewer: str) -> None:
        """The seat is this viewer's from now on, and no other is."""
        if seat.viewer and seat.viewer != viewer:
            self._holders.pop(seat.viewer, None)
        old = self._holders.get(viewer)
        if old and old is not seat:
            old.viewer = None  # the same tab came back while its old connection is not known to be dead
        self._holders[viewer], seat.viewer = seat, viewer

    def _decide(self) -> None:
        """Finds the owner, once for all that read it, and wakes them when it or its size changed."""
        seats = [seat for seat in self._holders.values() if seat.size]
        first = max(seats, key=lambda seat: seat.turn, default=None)
        owner = {"viewer": first.viewer, "size": first.size} if first else None
        if owner != self.owner:
            self.owner = owner
            self.moved.set()
            self.moved = asyncio.Event()
