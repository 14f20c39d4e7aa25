"""A line to a session's display: proved, asked for a websocket, then joined with the browser's connection.

The relay process holds it when it can; else, with TLS at the browser's side or without a relay, this process does.
"""

from __future__ import annotations

import socket
from typing import Protocol

from tornado.iostream import IOStream

from ..errors import IdentityMismatch, Unreachable, UpstreamFailed
from ..relay.pinned_tls import PinnedContext
from ..transports.endpoint import Endpoint
from ..values.session import Session
from . import tornado_streams
from .dial import ask, dial, exchange, proved, secured
from .headers import Upgrade
from .relay_client import Relay, RelayLine, RelayLost
from .tornado_streams import Pump, Report, pump_between


class Line(Protocol):
    """A display that has agreed to speak websocket."""

    def join(self, browser: IOStream, report: Report) -> Pump:
        """Owns the browser's connection from now on; bytes pass as soon as the pump runs."""

    def close(self) -> None:
        """Gives it up, before it was joined."""


class StreamLine:
    """A line in this process."""

    def __init__(self, node: IOStream) -> None:
        self._node = node

    def join(self, browser: IOStream, report: Report) -> Pump:
        return pump_between(browser, self._node, report)

    def close(self) -> None:
        self._node.close()


class RelayedLine:
    """A line in the relay process."""

    def __init__(self, line: RelayLine) -> None:
        self._line = line

    def join(self, browser: IOStream, report: Report) -> Pump:
        if tornado_streams.can_take(browser):
            self._line.join(tornado_streams.take("browser", browser), report)
        else:  # it left at this very moment
            browser.close()
            self._line.lost()
            self._line.close()
        return self._line

    def close(self) -> None:
        self._line.close()


async def open_line(
    session: Session, endpoint: Endpoint, upgrade: Upgrade, relay: Relay, browser: IOStream | None
) -> tuple[Line, bytes]:
    """A proved line to the display and the 101 for this browser; raises what `dial` and `ask` raise.

    Where the way to the node knows why it came to nothing, the error has its words.
    """
    try:
        return await _open(session, endpoint, upgrade, relay, browser)
    except IdentityMismatch:
        raise
    except UpstreamFailed as error:
        why = await endpoint.explain() if endpoint.explain else None
        if why is None:
            raise
        raise Unreachable(why) from error


async def _open(
    session: Session, endpoint: Endpoint, upgrade: Upgrade, relay: Relay, browser: IOStream | None
) -> tuple[Line, bytes]:
    if browser is not None and movable(browser, endpoint) and await relay.ready():
        try:
            return await _relayed(session, endpoint, upgrade, relay)
        except RelayLost:
            pass  # this process can do it, too
        except Unreachable as error:
            if error.reason == "timeout":
                await relay.check()
            raise
    node = await dial(session, endpoint)
    try:
        return StreamLine(node), await ask(exchange(node, upgrade.request()), upgrade)
    except BaseException:
        node.close()
        raise


def movable(browser: IOStream, endpoint: Endpoint) -> bool:
    """Whether the relay can have both ends: no TLS at the browser's, and a node's whose keys can be handed over."""
    keys = endpoint.context is None or isinstance(endpoint.context, PinnedContext)
    return keys and type(browser) is IOStream and tornado_streams.is_known(browser)


async def _relayed(session: Session, endpoint: Endpoint, upgrade: Upgrade, relay: Relay) -> tuple[Line, bytes]:
    async def prove(plain: socket.socket) -> RelayLine:
        line = relay.take(plain)
        try:
            if isinstance(endpoint.context, PinnedContext):
                await secured(session, endpoint.context, str(endpoint.server_hostname), line.secure)
        except BaseException:
            line.close()
            raise
        return line

    line = await proved(session, endpoint, prove)
    try:
        return RelayedLine(line), await ask(line.exchange(upgrade.request()), upgrade)
    except BaseException:
        line.close()
        raise
