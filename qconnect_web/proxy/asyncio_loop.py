"""The pump on Jupyter's own loop: for what cannot leave this process, a browser's connection with TLS on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..relay.flow import Side
from ..relay.pump import READ, WRITE, Closed, Splice

REPORT_S = 5.0


class AsyncioHost:
    """An asyncio loop, as a pump sees it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._watched: dict[int, int] = {}

    def watch(self, fd: int, events: int, woken: Callable[[int], None]) -> None:
        before = self._watched.pop(fd, 0)
        if events:
            self._watched[fd] = events
        if events & READ & ~before:
            self._loop.add_reader(fd, woken, READ)
        elif before & READ & ~events:
            self._loop.remove_reader(fd)
        if events & WRITE & ~before:
            self._loop.add_writer(fd, woken, WRITE)
        elif before & WRITE & ~events:
            self._loop.remove_writer(fd)

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        return self._loop.call_later(seconds, call).cancel

    def soon(self, call: Callable[[], None]) -> None:
        self._loop.call_soon(call)


class SocketPump:
    """Pumps between a browser's socket and a node's, and owns both; tells `report` now and then what has moved."""

    def __init__(self, browser: Side, node: Side, report: Callable[[int, int], None]) -> None:
        self._host = AsyncioHost()
        self._over: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        self._splice = Splice(self._host, browser, node, self._on_end)
        self._report, self._told = report, (0, 0)

    async def run(self) -> Closed:
        """Pumps until both directions are done, one side breaks, or a half-closed connection lasts too long."""
        self._splice.start()
        forget = self._host.later(REPORT_S, self._tick)
        try:
            return await self._over
        finally:
            forget()
            self.end()

    def end(self) -> None:
        """Ends it now; what is still on its way is lost."""
        self._splice.end()

    def _on_end(self, closed: Closed) -> None:
        if not self._over.done():  # its waiter was cancelled, else
            self._over.set_result(closed)

    def _tick(self) -> None:
        if self._splice.over:
            return
        moved = self._splice.up.moved, self._splice.down.moved
        if moved != self._told:
            self._told = moved
            self._report(*moved)
        self._host.later(REPORT_S, self._tick)
