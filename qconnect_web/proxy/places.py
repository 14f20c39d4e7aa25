"""Joins a browser's websocket with a session's display, and knows which are joined."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from tornado.iostream import IOStream

from ..errors import TooManyRequests
from ..values.session import Session
from .activity import Tally
from .display_line import Line
from .log_limit import Bucket
from .metrics import CLOSED, WEBSOCKETS
from .relay_client import Relay
from .tornado_streams import Pump

Told = Callable[[], None]
OnInput = Told | None
CLOSE_S = 5.0
T = TypeVar("T")


class Place:
    """One viewer's place at one session: first its request waits in it, then its bytes are pumped."""

    def __init__(self, session: str, viewer: str) -> None:
        self.session, self.viewer = session, viewer
        self.over: str | None = None
        """Why it was ended from here; None while it was not."""
        self.task: asyncio.Task[Any] | None = None
        self._stop: Callable[[], Any] = lambda: None

    def end(self, why: str) -> None:
        """Stops whatever goes on in it."""
        self.over = self.over or why
        self._stop()

    async def hold(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of `work`, or None when the place was ended before there was one."""
        task: asyncio.Task[T] = asyncio.create_task(work)
        self.task = task
        self._stop = task.cancel
        try:
            return await task
        except asyncio.CancelledError:
            if self.over is None:
                raise
            return None

    def pump(self, pump: Pump, work: Coroutine[Any, Any, None]) -> None:
        """Keeps the pump that `work` runs, to stop it when the place is ended."""
        self._stop = pump.end
        # A context of its own: the request's would keep its handler in memory as long as the websocket lives.
        self.task = Context().run(asyncio.create_task, work)
        if self.over:
            pump.end()


class Places:
    """All places of this server: one per viewer, a bounded number per session (`most`) and per minute; 0: no limit."""

    def __init__(self, log: logging.Logger, relay: Relay, *, most: int, per_minute: int) -> None:
        self._log = log
        self.relay = relay
        self._most, self._per_minute = most, per_minute
        self._places: set[Place] = set()
        self._asked: dict[str, Bucket] = {}

    def enter(self, session_key: str, viewer: str) -> Place:
        """A place for a viewer; the one it had before is ended. Raises TooManyRequests when the session is full."""
        self._count(session_key)
        others = [place for place in self._places if place.session == session_key]
        for place in others:
            if place.viewer == viewer:
                place.end("a newer connection of the same viewer")
                self.leave(place)
        if self._most and sum(place.viewer != viewer for place in others) >= self._most:
            raise TooManyRequests(
                f"This session is open in {self._most} places already. Close some of them, then reload the page."
            )
        place = Place(session_key, viewer)
        self._places.add(place)
        WEBSOCKETS.set(len(self._places))
        return place

    def _count(self, session_key: str) -> None:
        """One more request for this session; those that nobody asks for any more are forgotten."""
        self._asked = {key: bucket for key, bucket in self._asked.items() if key == session_key or not bucket.full}
        if not self._asked.setdefault(session_key, Bucket(self._per_minute)).take():
            raise TooManyRequests("This session was opened too often within a minute. Wait a minute, then reload.")

    def leave(self, place: Place) -> None:
        """Gives the place up."""
        self._places.discard(place)
        WEBSOCKETS.set(len(self._places))

    def __len__(self) -> int:
        return len(self._places)

    def join(
        self, place: Place, session: Session, browser: IOStream, line: Line, on_input: OnInput, hung_up: Told
    ) -> None:
        """Pumps between the two until one ends; returns at once, and owns both from now on.

        `hung_up` is called when it was the node that ended it.
        """
        tally = Tally(on_input)
        pump = line.join(browser, tally)
        node = session.connection.node if session.connection else "?"
        place.pump(pump, self._run(place, session.id, node, pump, tally, hung_up))

    async def _run(self, place: Place, job_id: str, node: str, pump: Pump, tally: Tally, hung_up: Told) -> None:
        """One line in the log when it closes; nothing in it is secret."""
        started, name = time.monotonic(), f"{job_id} (viewer {place.viewer[:8]})"
        try:
            closed = await pump.run()
        finally:
            self.leave(place)
        tally(closed.bytes_up, closed.bytes_down)
        CLOSED.labels(closed.who).inc()
        if closed.who == "node":
            hung_up()
        self._log.info(
            "qconnect: websocket of session %s on %s closed by the %s (%s) after %.1f s: %d bytes up, %d bytes down",
            *(name, node, closed.who, place.over or "end of connection", time.monotonic() - started),
            *(closed.bytes_up, closed.bytes_down),
        )

    async def close(self) -> None:
        """Ends them all, within 5 s; for the stop of the server."""
        tasks = [place.task for place in self._places if place.task]
        for place in list(self._places):
            place.end("the server stops")
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_S)
        await self.relay.close()
