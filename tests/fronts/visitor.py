"""Somebody who is logged in, at a front: plain HTTP and websockets as a browser sends them, and what comes of them."""

from __future__ import annotations

import json
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.proxy.frames import TEXT, frame
from tests.support.jupyter_here import VIEWER, RawAnswer, Wire
from tests.support.node_server import KEY


@dataclass
class Visitor:
    """A browser at `origin` that takes `context` for its TLS, None: there is none; `unix`: the way is this socket."""

    origin: str
    prefix: str
    token: str
    port: int
    context: ssl.SSLContext | None = None
    unix: str | None = None
    cookies: str = ""
    address: str = "127.0.0.1"

    def login(self) -> Visitor:
        """Comes in by the token's link, as a user does."""
        answer = self.ask(f"qconnect/?token={self.token}")
        assert answer.status == 200, answer
        cookies = [value.partition(";")[0] for name, value in answer.headers if name.lower() == "set-cookie"]
        self.cookies = "; ".join(cookies)
        return self

    def ask(self, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> RawAnswer:
        """One request of a page below the base URL."""
        given = {"Content-Length": "0", "Origin": self.origin, "X-XSRFToken": self._xsrf} if method == "POST" else {}
        with self._send(method, path, {"Connection": "close", **given, **(headers or {})}) as wire:
            content = bytearray()
            while got := wire.connection.recv(65536):
                content += got
        return RawAnswer.of(bytes(content))

    def websocket(self, path: str, more: dict[str, str] | None = None) -> tuple[RawAnswer, Wire]:
        """The answer to a page's request for a websocket, and the wire behind it."""
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        wire = self._send("GET", path, {**upgrade, "Sec-WebSocket-Key": KEY, "Origin": self.origin, **(more or {})})
        return wire.answer(), wire

    def heartbeat(self, session: str) -> dict[str, Any] | int:
        """What the page's heartbeat is answered; the status, when there is no websocket."""
        answer, wire = self.websocket(f"qconnect/{session}/live")
        with wire:
            if answer.status != 101:
                return answer.status
            wire.connection.sendall(frame(TEXT, json.dumps({"t": 1, "viewer": VIEWER}).encode(), masked=True))
            kind, size = wire.receive(2)
            if size == 126:
                size = int.from_bytes(wire.receive(2), "big")
            assert kind & 0x0F == TEXT
            return dict(json.loads(wire.receive(size)))

    def display(self, session: str) -> int:
        """The status of the display's websocket."""
        answer, wire = self.websocket(f"qconnect/{session}/ws/{VIEWER}", {"Sec-WebSocket-Protocol": "binary"})
        wire.connection.close()
        return answer.status

    @property
    def _xsrf(self) -> str:
        found = re.search(r"_xsrf=([^;]+)", self.cookies)
        return found[1] if found else ""

    def _send(self, method: str, path: str, headers: dict[str, str]) -> Wire:
        given = {"Host": urlsplit(self.origin).netloc, "Cookie": self.cookies, **headers}
        lines = [f"{method} {self.prefix}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        connection = self._connect()
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return Wire(connection)

    def _connect(self) -> socket.socket:
        if self.unix is not None:
            found = socket.socket(socket.AF_UNIX)
            found.settimeout(20)
            found.connect(self.unix)
            return found
        plain = socket.create_connection((self.address, self.port), timeout=20)
        name = urlsplit(self.origin).hostname
        return self.context.wrap_socket(plain, server_hostname=name) if self.context else plain
