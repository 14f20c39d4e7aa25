"""A websocket that gives back what it is sent, by which a page measures what lies before this server."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar

from jupyter_server.auth.decorator import authorized, ws_authenticated
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketHandler

from ..errors import TooManyRequests
from ..http.base import QConnectHandler, answers

MAX_MESSAGE = 64
LASTS_S = 180.0
"""Longer than the silence that a page measures."""
MOST = 10


class EchoHandler(WebSocketHandler, QConnectHandler):
    """Says each short message back, for three minutes; no pings of the server's break the silence."""

    opens_websocket = True
    ping_interval = None
    open_now: ClassVar[set[EchoHandler]] = set()

    def check_origin(self, origin: str | None = None) -> bool:
        """The one rule, in place of Tornado's for websockets."""
        return QConnectHandler.check_origin(self)

    @answers
    @ws_authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # its types break with an action
    async def get(self) -> None:
        if len(self.open_now) >= MOST:
            raise TooManyRequests("This server is being examined by several pages. Try again in three minutes.")
        opened: Awaitable[None] = super().get()
        await opened

    def open(self, *args: str, **kwargs: str) -> None:
        self.open_now.add(self)
        self._over = IOLoop.current().call_later(LASTS_S, self.close, 1000, "long enough")

    def on_message(self, message: str | bytes) -> None:
        if len(message) > MAX_MESSAGE:
            self.close(1009, "too long")
        else:
            self.write_message(message)

    def on_close(self) -> None:
        if self in self.open_now:  # Tornado says so also of a websocket that was refused
            self.open_now.discard(self)
            IOLoop.current().remove_timeout(self._over)
