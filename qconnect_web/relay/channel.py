"""The one connection between the server and its relay: messages with a few words, bytes, and at most one descriptor."""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from .pump import READ, WRITE, Host

MAX_MESSAGE = 192 * 1024
"""Bytes; the kernel takes a message of a SEQPACKET socket whole or not at all."""


class Channel:
    """Calls `on_message(words, bytes, connection or None)` for each message, `on_lost()` once when the other is gone.

    Sending never blocks: what the kernel does not take now is kept. That is bounded, as each session has at most a
    few messages under way.
    """

    def __init__(
        self,
        host: Host,
        end: socket.socket,
        on_message: Callable[[dict[str, Any], bytes, socket.socket | None], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._host, self._end = host, end
        self._on_message, self._on_lost = on_message, on_lost
        self._unsent: deque[tuple[bytes, socket.socket | None]] = deque()
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_MESSAGE)
        host.watch(end.fileno(), READ, self._woken)

    @property
    def busy(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._unsent)

    def send(self, words: dict[str, Any], content: bytes = b"", connection: socket.socket | None = None) -> None:
        """Sends a message; owns the connection from now on, and closes this process's hold of it when it is sent."""
        if self._end.fileno() < 0:
            if connection:
                connection.close()
            return
        self._unsent.append((json.dumps(words).encode() + b"\n" + content, connection))
        self._flush()

    def close(self) -> None:
        """Lets go; the other end sees it."""
        if self._end.fileno() < 0:
            return
        self._host.watch(self._end.fileno(), 0, self._woken)
        self._end.close()
        for _, connection in self._unsent:
            if connection:
                connection.close()
        self._unsent.clear()

    def _woken(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        if events & ~WRITE:
            self._receive()

    def _flush(self) -> None:
        while self._unsent:
            content, connection = self._unsent[0]
            try:
                socket.send_fds(self._end, [content], [connection.fileno()] if connection else [])
            except BlockingIOError:
                break
            except OSError:
                break  # the other end is gone: the next look for messages finds out
            self._unsent.popleft()
            if connection:
                connection.close()
        self._host.watch(self._end.fileno(), READ | WRITE if self._unsent else READ, self._woken)

    def _receive(self) -> None:
        while self._end.fileno() >= 0:
            try:
                content, fds, _, _ = socket.recv_fds(self._end, MAX_MESSAGE, 1)
            except BlockingIOError:
                return
            except OSError:
                content, fds = b"", []
            connection = socket.socket(fileno=fds[0]) if fds else None
            if not content:
                self.close()
                self._on_lost()
                return
            words, _, rest = content.partition(b"\n")
            self._on_message(json.loads(words), rest, connection)
