"""One direction of a pump: what was read from one connection and the other did not take yet, and never more."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

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

    def finish(self) -> None:
        """Says that nothing more will come, while what the other side sends can still be read.

        A TLS socket gets the plain FIN, too: its own `shutdown` would forget the keys it still reads with, and
        `unwrap` loses a record that is on its way.
        """
        with suppress(OSError):
            socket.socket.shutdown(self.connection, socket.SHUT_WR)


class Flow:
    """One direction: what was read from `source` and is not yet taken by `sink`."""

    __slots__ = ("done", "ended", "moved", "pending", "sink", "source")

    def __init__(self, source: Side, sink: Side) -> None:
        self.source, self.sink = source, sink
        self.pending = memoryview(source.early)
        self.moved = 0
        self.ended = self.done = False

    def pass_on(self) -> bool:
        """The common case, a small read that is taken whole; False when it was not one.

        It does what `read` and `_send` do without calling them: that is 4 % of the relay's processor time.
        """
        source = self.source
        if self.pending or self.ended or source.secure:
            return False
        try:
            got = source.connection.recv_into(_buffer)
        except BlockingIOError:
            return True
        except OSError as error:
            raise Broken(source.name) from error
        data = _buffer[:got]
        sent = self.sink.write(data) if got else 0
        self.moved += sent
        self.ended = not got
        if sent < got:
            self.pending = memoryview(bytes(data[sent:]))
        return 0 < sent == got < CHUNK

    def turn(self) -> bool:
        """Moves what can be moved now; True when it stopped only to let others work."""
        budget = TURN
        while not self.done:
            if self.pending:
                self._send(self.pending)
                if self.pending:
                    return False
            if self.ended:
                self.sink.finish()
                self.done = True
            elif budget <= 0:
                return True
            elif (got := self.source.read()) is None:
                return False
            else:
                self.ended = got == 0
                self._send(_buffer[:got])
                budget -= got
                if self.source.drained and not self.pending:
                    return False
        return False

    def _send(self, data: memoryview) -> None:
        sent = self.sink.write(data) if data else 0
        self.moved += sent
        if data is self.pending:
            self.pending = data[sent:]
        elif sent < len(data):
            self.pending = memoryview(bytes(data[sent:]))
