"""Takes connections out of Tornado's hands, and pumps by Tornado's public calls where that cannot be done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from tornado.iostream import IOStream, StreamClosedError

from ..relay.flow import CHUNK, Side
from ..relay.pump import Closed
from .asyncio_loop import SocketPump

Report = Callable[[int, int], None]
"""Told now and then how many bytes have gone up, from the browser to the node, and down so far."""


class Pump(Protocol):
    """Two connections in, `Closed` out."""

    async def run(self) -> Closed:
        """Pumps until the end; both connections are closed when it returns or raises."""

    def end(self) -> None:
        """Makes `run` return now, or as soon as it is called."""


def pump_between(browser: IOStream, node: IOStream, report: Report) -> Pump:
    """A pump on the sockets below two streams; on the streams themselves when one has ended already or is not known."""
    if can_take(browser) and can_take(node):
        return SocketPump(take("browser", browser), take("node", node), report)
    return StreamPump(browser, node, report)


def is_known(stream: IOStream) -> bool:
    """Whether this Tornado's streams look as `take` knows them."""
    return all(hasattr(stream, name) for name in ("_read_buffer", "_read_buffer_size", "_state", "_closed"))


def can_take(stream: IOStream) -> bool:
    """Whether it looks as `take` knows it, is open, and at rest."""
    return is_known(stream) and not (stream.closed() or stream.reading() or stream.writing())


def take(name: str, stream: IOStream) -> Side:
    """Takes the socket out of a stream, with the bytes that the stream had read ahead.

    Tornado has no public way to do this, so its private fields are touched here and nowhere else (the same from 6.4
    to 6.6). The stream is left closed without closing the socket, so that nobody else can read from it.
    """
    early = bytes(stream._read_buffer[: stream._read_buffer_size])
    if stream._state is not None:
        stream.io_loop.remove_handler(stream.fileno())
        stream._state = None
    stream._closed = True
    return Side(name, stream.socket, early)


class StreamPump:
    """Pumps by Tornado's public calls alone: slower, and the end of one side is the end of both."""

    def __init__(self, browser: IOStream, node: IOStream, report: Report) -> None:
        self._browser, self._node, self._report = browser, node, report
        self._moved = {"browser": 0, "node": 0}
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def end(self) -> None:
        """Ends it now; what is still on its way is lost."""
        if not self._over.done():
            self._over.set_result("server")

    async def run(self) -> Closed:
        """Pumps until one side ends."""
        copies = [
            asyncio.create_task(self._copy("browser", self._browser, self._node)),
            asyncio.create_task(self._copy("node", self._node, self._browser)),
        ]
        try:
            done, _ = await asyncio.wait([*copies, self._over], return_when=asyncio.FIRST_COMPLETED)
            who = next(iter(done)).result()
        finally:
            for copy in copies:
                copy.cancel()
            self._browser.close()
            self._node.close()
            await asyncio.gather(*copies, return_exceptions=True)
        return Closed(self._moved["browser"], self._moved["node"], who)

    async def _copy(self, name: str, source: IOStream, sink: IOStream) -> str:
        """One direction; returns who ended it."""
        other = {"browser": "node", "node": "browser"}[name]
        while True:
            try:
                data = await source.read_bytes(CHUNK, partial=True)
            except StreamClosedError:
                return name
            try:
                await sink.write(data)
            except StreamClosedError:
                return other
            self._moved[name] += len(data)
            self._report(self._moved["browser"], self._moved["node"])
            await asyncio.sleep(0)  # a read that is ready does not yield, and would starve everybody else
