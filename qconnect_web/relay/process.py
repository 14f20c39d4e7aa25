"""What runs in the relay process: sessions' bytes pass here, so that a busy Jupyter server freezes no display.

It imports the standard library and its neighbours here only, opens nothing by itself, and lives as long as the
channel to its server. A session is a number (`n`); what the server asks and what it is answered:

    {"do": "take", "n"} + connection            the connection to a display, its owner proved or about to be
    {"do": "secure", "n", "server", "client", "name", "fingerprint"}   TLS, and the pin: {"n", "secured": why or null}
    {"do": "ask", "n"} + request                 for a websocket: {"n", "answered": true or false} + the answer's head
    {"do": "join", "n"} + early bytes + connection    the browser's: from now on bytes are pumped
    {"do": "end", "n"}                           at any time
    {"do": "echo"}                               {"echo": true}

and by itself `{"moved": {n: [up, down]}}` when they have changed, `{"n", "closed": who, "up", "down"}` at the end.
"""

from __future__ import annotations

import errno
import resource
import socket
import ssl
import sys
from collections.abc import Callable, Generator
from functools import lru_cache
from typing import Any

from .channel import Channel
from .epoll_loop import EpollHost
from .flow import Side
from .pinned_tls import PinnedContext, same_fingerprint
from .pump import READ, WRITE, Closed, Splice

MAX_HEAD = 16 * 1024
"""Bytes that a node's answer to the upgrade may have before its first frame."""
REPORT_S = 5.0
Steps = Generator[int, None, None]


@lru_cache(maxsize=32)
def context_of(server: str, client: str) -> PinnedContext:
    """The pinned context of a run; all its connections share it."""
    return PinnedContext.of(bytes.fromhex(server), client.encode())


def shake(connection: ssl.SSLSocket) -> Steps:
    """The handshake, step by step; yields what must happen before the next one."""
    while True:
        try:
            connection.do_handshake()
        except ssl.SSLWantReadError:
            yield READ
        except ssl.SSLWantWriteError:
            yield WRITE
        else:
            return


def exchange(connection: socket.socket, request: bytes, answer: bytearray) -> Steps:
    """Sends a request and reads the head of its answer, and what came with it, step by step."""
    while request:
        try:
            request = request[connection.send(request) :]
        except (BlockingIOError, ssl.SSLWantWriteError):
            yield WRITE
    while b"\r\n\r\n" not in answer:
        try:
            got = connection.recv(MAX_HEAD)
        except (BlockingIOError, ssl.SSLWantReadError):
            yield READ
            continue
        answer += got
        if not got or (len(answer) > MAX_HEAD and b"\r\n\r\n" not in answer):
            raise ConnectionError(errno.ECONNRESET, "it hung up")


class Line:
    """One session's connection, from the node alone to the two that are joined."""

    def __init__(self, relay: Relay, number: int, node: socket.socket) -> None:
        self._relay, self._number = relay, number
        self._node = node
        self._early = b""
        self._splice: Splice | None = None
        self.told = (0, 0)
        node.setblocking(False)

    def secure(self, server: str, client: str, name: str, fingerprint: str) -> None:
        """TLS on the connection; the answer is null, or the kind and the words of what is wrong."""
        context = context_of(server, client)

        def steps() -> Steps:
            self._node.getpeername()  # one that was reset meanwhile would never begin its handshake, nor fail
            wrapped = context.wrap_socket(self._node, server_hostname=name, do_handshake_on_connect=False)
            self._node = wrapped
            yield from shake(wrapped)
            if not same_fingerprint(wrapped.getpeercert(binary_form=True), fingerprint):
                raise PermissionError(errno.EPERM, "another key")

        self._walk(steps(), self._secured)

    def _secured(self, error: OSError | None) -> None:
        why = None
        if isinstance(error, ssl.SSLEOFError):
            why = ["gone", "it hung up"]
        elif isinstance(error, ssl.SSLError):
            why = ["key", "no handshake"]
        elif isinstance(error, PermissionError):
            why = ["pin", "another key"]
        elif error:
            why = ["gone", error.strerror or "it hung up"]
        self._relay.channel.send({"n": self._number, "secured": why})

    def ask(self, request: bytes) -> None:
        """Asks for the websocket; what follows the answer's head is kept for the browser."""
        answer = bytearray()

        def done(error: OSError | None) -> None:
            head, end, rest = bytes(answer).partition(b"\r\n\r\n")
            self._early = rest
            self._relay.channel.send({"n": self._number, "answered": error is None}, b"" if error else head + end)

        self._walk(exchange(self._node, request, answer), done)

    def join(self, browser: socket.socket, early: bytes) -> None:
        """Pumps between the browser and the node until the end."""
        sides = Side("browser", browser, early), Side("node", self._node, self._early)
        self._splice = Splice(self._relay.host, *sides, self._closed)
        self._splice.start()

    def _closed(self, closed: Closed) -> None:
        self._relay.forget(self._number)
        told = {"n": self._number, "closed": closed.who, "up": closed.bytes_up, "down": closed.bytes_down}
        self._relay.channel.send(told)

    def end(self) -> None:
        """Ends it, wherever it is."""
        if self._splice:
            self._splice.end()
            return
        self._relay.host.watch(self._node.fileno(), 0, self._ignore)
        self._node.close()
        self._relay.forget(self._number)

    def moved(self) -> tuple[int, int]:
        """Bytes up and down so far."""
        return (self._splice.up.moved, self._splice.down.moved) if self._splice else (0, 0)

    @staticmethod
    def _ignore(events: int) -> None:
        """Nobody is woken for no events."""

    def _walk(self, steps: Steps, done: Callable[[OSError | None], None]) -> None:
        """Takes the steps, each when the connection is ready for it; then tells how it went."""
        host, fd = self._relay.host, self._node.fileno()
        watched = 0

        def on(events: int = 0) -> None:
            nonlocal watched
            error = None
            try:
                wanted = next(steps, 0)
            except OSError as failed:
                wanted, error = 0, failed
            if wanted != watched:
                watched = wanted
                host.watch(fd, wanted, on)
            if not wanted:
                done(error)

        on()


class Relay:
    """All sessions of one server."""

    def __init__(self, end: socket.socket) -> None:
        self.host = EpollHost()
        self._lines: dict[int, Line] = {}
        self.channel = Channel(self.host, end, self._on_message, self._on_lost)
        self.channel.send({"echo": True})
        self._tick()

    def forget(self, number: int) -> None:
        self._lines.pop(number, None)

    def _on_message(self, words: dict[str, Any], content: bytes, connection: socket.socket | None) -> None:
        do, number = words.pop("do"), words.pop("n", 0)
        if do == "echo":
            self.channel.send({"echo": True})
        elif do == "take" and connection:
            self._lines[number] = Line(self, number, connection)
        elif (line := self._lines.get(number)) is None:
            if connection:
                connection.close()  # the session ended while this was under way
        elif do == "secure":
            line.secure(**words)
        elif do == "ask":
            line.ask(content)
        elif do == "join" and connection:
            line.join(connection, content)
        elif do == "end":
            line.end()

    def _on_lost(self) -> None:
        raise SystemExit  # the server is gone

    def _tick(self) -> None:
        """Tells how much was moved, if the server has read what it was told before."""
        changed = {number: moved for number, line in self._lines.items() if (moved := line.moved()) != line.told}
        if changed and not self.channel.busy:
            for number, moved in changed.items():
                self._lines[number].told = moved
            self.channel.send({"moved": changed})
        self.host.later(REPORT_S, self._tick)


def main() -> None:
    """Runs until the server is gone, at the other end of the descriptor that the command line names."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    Relay(socket.socket(fileno=int(sys.argv[2]))).host.run()
