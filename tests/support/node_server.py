"""What answers on a node: a small server that records every application byte it gets, and says what it is told."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the pair of RFC 6455, section 1.3
Speak = Callable[[socket.socket, bytes], None]


class NodeServer:
    """A server on a node: TLS, plain or a unix socket; keeps what it hears, byte for byte, and says what it is told."""

    def __init__(
        self,
        speak: Speak,
        context: ssl.SSLContext | None,
        path: Path | None = None,
        at: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self.speak, self.context = speak, context
        self.heard: list[bytearray] = []
        self.dials = 0
        self.errors: list[str] = []
        if path is None:
            self.listener = socket.create_server(at, family=socket.AF_INET6 if ":" in at[0] else socket.AF_INET)
            self.port = self.listener.getsockname()[1]
        else:
            self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.listener.bind(str(path))
            path.chmod(0o600)
            self.listener.listen()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def bytes_heard(self) -> bytes:
        return b"".join(self.heard)

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.dials += 1
            thread = threading.Thread(target=self._serve, args=(plain,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        heard = bytearray()
        self.heard.append(heard)
        connection = plain
        plain.settimeout(20)
        try:
            if self.context:
                connection = self.context.wrap_socket(plain, server_side=True)
            self._open.append(connection)
            while b"\r\n\r\n" not in heard and (got := connection.recv(65536)):
                heard += got
            if b"\r\n\r\n" in heard:
                self.speak(connection, bytes(heard))
        except OSError as error:
            self.errors.append(repr(error))
        finally:
            connection.close()

    def close(self) -> None:
        # shutdown wakes a thread that waits in accept; close alone does not
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self._open:
            if connection.fileno() >= 0:
                connection.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()


def http_answer(body: bytes = b"ok", headers: str = "", status: str = "200 OK", kind: str = "text/javascript") -> Speak:
    """Answers one request as xpra does: HTTP/1.0, then the end."""
    head = f"HTTP/1.0 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"

    def speak(connection: socket.socket, heard: bytes) -> None:
        connection.sendall(head.encode() + (b"" if heard.startswith(b"HEAD") else body))

    return speak


def switch(extra: str = "", first: bytes = b"", then: Callable[[socket.socket], None] | None = None) -> Speak:
    """Answers 101, with its first bytes in the same segment; then echoes, or does what it is told."""
    upgrade = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n"
    head = f"HTTP/1.1 101 OK\r\n{upgrade}{extra}\r\n"

    def speak(connection: socket.socket, heard: bytes) -> None:
        connection.sendall(head.encode() + first)
        (then or echo)(connection)

    return speak


def display(file: Speak | None = None, websocket: Speak | None = None) -> Speak:
    """Files and websockets on one port, as xpra has them."""

    def speak(connection: socket.socket, heard: bytes) -> None:
        wanted = (websocket or switch()) if b"upgrade: websocket" in heard.lower() else (file or http_answer())
        wanted(connection, heard)

    return speak


def echo(connection: socket.socket) -> None:
    """Says what it hears until it hears no more."""
    while got := connection.recv(65536):
        connection.sendall(got)
