"""One connection of a pump, and one direction: what was read and is not yet taken, bounded by what one read gives."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from .pipes import FLOOD, Pipe, pipe

CHUNK = 256 * 1024
TURN = 256 * 1024
"""Bytes that one direction may move before others get their turn: 0.3 ms of work."""
_buffer = memoryview(bytearray(CHUNK))  # shared by all: a turn leaves nothing in it


class Broken(Exception):
    """A connection failed; `who` is the side whose it was."""

    def __init__(self, who: str) -> None:
        super().__init__(who)
        self.who = who


class Side:
    """One connection of a pump: a socket, plain or TLS, and the bytes that were read from it already."""

    __slots__ = ("connection", "drained", "early", "fd", "name", "secure", "stuck", "wanted")

    def __init__(self, name: str, connection: socket.socket, early: bytes) -> None:
        self.name, self.connection, self.early = name, connection, early
        self.fd = connection.fileno()
        self.secure = isinstance(connection, ssl.SSLSocket)
        self.drained = False  # whether the last read left nothing behind that the kernel would not tell of
        self.stuck = False  # whether TLS must write before it can read on
        self.wanted = 0  # the events that it is watched for
        connection.setblocking(False)

    def read(self) -> int | None:
        """Fills the shared buffer: the number of bytes, 0 at the end, None when there is nothing now."""
        if self.secure:
            return self._read_records()
        try:
            got = self.connection.recv_into(_buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            raise Broken(self.name) from error
        self.drained = 0 < got < CHUNK
        return got

    def _read_records(self) -> int | None:
        """As `read`; a TLS record holds 16 KiB at most, so several are gathered before they are sent on."""
        self.drained = self.stuck = False
        total = 0
        try:
            while total < CHUNK:
                got = self.connection.recv_into(_buffer[total:])
                total += got
                if not got:
                    break
        except ssl.SSLWantReadError:
            self.drained = True
            return total or None
        except ssl.SSLWantWriteError:
            self.drained = self.stuck = True
            return total or None
        except OSError as error:  # a TLS error is one, too
            raise Broken(self.name) from error
        return total

    def write(self, data: memoryview) -> int:
        """How many of the bytes were taken."""
        try:
            return self.connection.send(data)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return 0
        except OSError as error:
            raise Broken(self.name) from error

    def pour(self, pipe: Pipe) -> int | None:
        """As `read`, into a pipe."""
        self.drained = False
        try:
            return pipe.fill(self.fd, TURN)
        except OSError as error:
            raise Broken(self.name) from error

    def drink(self, pipe: Pipe) -> int:
        """As `write`, from a pipe."""
        try:
            return pipe.drain(self.fd)
        except OSError as error:
            raise Broken(self.name) from error

    def finish(self) -> None:
        """Says that nothing more will come, while what the other side sends can still be read.

        A TLS socket gets the plain FIN, too: its own `shutdown` would forget the keys it still reads with, and
        `unwrap` loses a record that is on its way.
        """
        with suppress(OSError):
            socket.socket.shutdown(self.connection, socket.SHUT_WR)


class Flow:
    """One direction: what was read from `source` and is not yet taken by `sink`."""

    __slots__ = ("done", "ended", "moved", "pending", "pipe", "plain", "sink", "source")

    def __init__(self, source: Side, sink: Side) -> None:
        self.source, self.sink = source, sink
        self.plain = not (source.secure or sink.secure)
        self.pending = memoryview(source.early)
        self.pipe: Pipe | None = None
        self.moved = 0
        self.ended = self.done = False

    @property
    def held(self) -> bool:
        """Whether the sink has not taken all yet."""
        return bool(self.pending) or (self.pipe is not None and self.pipe.held > 0)

    def pass_on(self) -> bool:
        """The common case, short as each message takes it: a small read, taken whole; False when it was not one."""
        if self.pending or self.ended or self.source.secure or self.pipe:
            return False
        got = self.source.read()
        if not got:
            self.ended = got == 0
            return got is None
        self._send(_buffer[:got])
        return self.source.drained and not self.pending

    def turn(self) -> bool:
        """Moves what can be moved now; True when it stopped only to let others work."""
        budget = TURN
        while not self.done:
            if self.held:
                self._push()
                if self.held:
                    return False
            if self.ended:
                self.sink.finish()
                self.done = True
            elif budget <= 0:
                return True
            elif (got := self._pull()) is None:
                return False
            else:
                self.ended = got == 0
                budget -= got
                if self.source.drained and not self.held:
                    return False
        return False

    def _pull(self) -> int | None:
        """Reads, and sends what was read at once; in a flood, fills the pipe. As `Side.read`."""
        if self.pipe and self.pipe.calm:
            self.close()
        if self.pipe:
            return self.source.pour(self.pipe)
        got = self.source.read()
        if got:
            self._send(_buffer[:got])
        if got and got >= FLOOD and self.plain:
            self.pipe = pipe()
        return got

    def _push(self) -> None:
        """Sends what is held."""
        if self.pending:
            self._send(self.pending)
        elif self.pipe:
            self.moved += self.sink.drink(self.pipe)

    def close(self) -> None:
        """Gives its pipe back."""
        if self.pipe:
            self.pipe.close()
            self.pipe = None

    def _send(self, data: memoryview) -> None:
        sent = self.sink.write(data) if data else 0
        self.moved += sent
        if data is self.pending:
            self.pending = data[sent:]
        elif sent < len(data):
            self.pending = memoryview(bytes(data[sent:]))
