"""Moves bytes between two sockets until one of them ends, parsing nothing and holding back who is too fast.

Measured (data-path): a pump on file descriptors costs a third of what reading frames costs, and adds 0.1 ms instead
of 5. One direction (`flow`) holds at most what one read gave and the other side did not take yet. The pump runs on
whatever loop there is: Jupyter's (`proxy/asyncio_loop`) or the relay process's own (`epoll_loop`); it knows only the
`Host` protocol.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from .flow import Broken, Flow, Side

HALF_CLOSED_S = 10.0
"""Seconds that the other direction may go on after one side has ended; websockets need none of it."""
READ, WRITE = 1, 4
"""What a socket is watched for: the kernel's own numbers (EPOLLIN, EPOLLOUT)."""


class Closed(NamedTuple):
    """How a pump ended: bytes from browser to node, from node to browser, and who ended it: browser, node or server."""

    bytes_up: int
    bytes_down: int
    who: str


class Host(Protocol):
    """The loop under a pump."""

    def watch(self, fd: int, events: int, woken: Callable[[int], None]) -> None:
        """Calls `woken` with what happened whenever one of the events does; no events: never again."""

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """Calls once, so many seconds from now; returns what prevents it."""

    def soon(self, call: Callable[[], None]) -> None:
        """Calls once, after everybody else had a turn."""


class Splice:
    """A browser's connection and a node's, joined; it owns both, and tells `on_end` once when it is over."""

    __slots__ = ("_first", "_forget", "_host", "_on_end", "browser", "down", "node", "over", "up")

    def __init__(self, host: Host, browser: Side, node: Side, on_end: Callable[[Closed], None]) -> None:
        self._host, self._on_end = host, on_end
        self.browser, self.node = browser, node
        self.up, self.down = Flow(browser, node), Flow(node, browser)
        self.over = False
        self._first: str | None = None
        self._forget: Callable[[], None] | None = None

    def start(self) -> None:
        """Begins with what was read ahead; from now on the host wakes it."""
        self._work(self.up, self.down)

    def _browser_woken(self, events: int) -> None:
        if events == READ and self._passed(self.up):
            return
        self._woken(events, self.browser, self.up, self.down)

    def _node_woken(self, events: int) -> None:
        if events == READ and self._passed(self.down):
            return
        self._woken(events, self.node, self.down, self.up)

    def _passed(self, flow: Flow) -> bool:
        """Whether a message has passed and nothing else is to be done."""
        try:
            return flow.pass_on()
        except Broken as error:
            self.end(self._ended_first() or error.who)
            return True

    def _woken(self, events: int, side: Side, away: Flow, back: Flow) -> None:
        if events == READ and not side.stuck:
            self._work(away)
        elif events == WRITE and not side.stuck:
            self._work(back)
        elif side.wanted == READ and not events & WRITE:  # an error or the end, on a side that is only read from
            self._work(away)
        else:
            self._work(away, back)

    def _work(self, *flows: Flow) -> None:
        """One turn for these directions; the other side's bytes wait in the kernel."""
        if self.over:
            return
        try:
            for flow in flows:
                if flow.turn() and flow.source.secure:  # the kernel would not tell of what TLS has read already
                    self._host.soon(lambda flow=flow: self._work(flow))  # type: ignore[misc]  # mypy 1.x: lambda default
        except Broken as error:
            self.end(self._ended_first() or error.who)  # what breaks after an end is its consequence
        else:
            self._settle()

    def _settle(self) -> None:
        """After a turn: ends, lingers, or waits for what can happen next."""
        up, down = self.up, self.down
        if (up.ended or down.ended) and self._is_over():
            return
        for side, away, back, woken in (
            (self.browser, up, down, self._browser_woken),
            (self.node, down, up, self._node_woken),
        ):
            wanted = 0 if away.ended or away.pending or side.stuck else READ
            if back.pending or side.stuck:
                wanted |= WRITE
            if wanted != side.wanted:
                side.wanted = wanted
                self._host.watch(side.fd, wanted, woken)

    def _is_over(self) -> bool:
        """After one side has ended: whether nothing can follow; if something can, it must come soon."""
        ended = [flow for flow in (self.up, self.down) if flow.ended]
        first = self._ended_first() or "server"
        if self._forget is None:
            self._forget = self._host.later(HALF_CLOSED_S, lambda: self.end(first))
        over = [flow.done and flow.source.secure for flow in ended]  # OpenSSL knows no half-closed connection
        if any(over) or (self.up.done and self.down.done):
            self.end(first)
        return self.over

    def _ended_first(self) -> str | None:
        """Who ended first, if anybody has: a turn of both directions may meet the end of one and what came of it."""
        if self._first is None:
            self._first = next((flow.source.name for flow in (self.up, self.down) if flow.ended), None)
        return self._first

    def end(self, who: str = "server") -> None:
        """Ends it now; what is still on its way is lost."""
        if self.over:
            return
        self.over = True
        if self._forget:
            self._forget()
        for side, woken in ((self.browser, self._browser_woken), (self.node, self._node_woken)):
            if side.wanted:
                self._host.watch(side.fd, 0, woken)
            side.connection.close()
        self._on_end(Closed(self.up.moved, self.down.moved, who))
