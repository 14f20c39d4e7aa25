"""Whatever bytes come to an address of ours, the server answers, or hangs up, and never by a fault of its own."""

from __future__ import annotations

import random
import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.extent import LONG
from tests.support.servers import JupyterServer

REQUESTS = 20_000 if LONG else 600
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "G\x00T", "PROPFIND"]
PIECES = [
    *("%ff", "%00", "%2e%2e/", "..;/", "%", "%zz", "\xff", "\u202e", "?", "#", "//", "\\", "[", "]", "4[1].s", "%5b"),
    *("?token=", "?x=%ff", "&&&", ";", "\x1b[31m", "999999999999999999999", "-1", "a" * 300, "\t", "{}", "\x7f"),
]
VALUES = ["", "\xff", "http://[", "-1", "9" * 400, "chunked", "gzip, chunked", "bytes=9-1,-", "null", "a\tb", '"', "13"]
NAMES = [
    *("Host", "Origin", "Referer", "Cookie", "Content-Type", "Content-Length", "Transfer-Encoding", "Range"),
    *("If-None-Match", "If-Range", "Accept-Encoding", "Upgrade", "Connection", "Expect", "X-XSRFToken", "Forwarded"),
    *("Authorization", "Idempotency-Key", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "X-HTTP-Method-Override"),
]
BODIES = ['{"app": "none"}', "[" * 5000, '{"app": "xterm", "spec": {"cores": -1}}', "\xff" * 50, '{"a":' * 3000, "0"]
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[JupyterServer]:
    """A server of its own: its session may be stopped here."""
    settings = {"QConnect": {"max_sessions": 2, "max_starts_per_minute": 0}}
    server = JupyterServer(tmp_path, prefix="/a%40b/", config=settings).start()
    yield server
    server.close()


class Fuzz:
    """Requests that are nearly right: each is a good one, with a few of its parts exchanged, doubled or torn."""

    def __init__(self, server: JupyterServer, paths: list[str], seed: int) -> None:
        self._server, self._paths, self._chance = server, paths, random.Random(seed)

    def request(self) -> bytes:
        chance = self._chance
        method = chance.choice(METHODS) if chance.random() < 0.3 else "GET"
        headers = [("Host", "127.0.0.1"), ("Authorization", f"token {self._server.token}"), ("Connection", "close")]
        headers += [*UPGRADE.items(), ("Sec-WebSocket-Key", "A" * 22 + "==")] if chance.random() < 0.3 else []
        body = chance.choice(BODIES) if method != "GET" or chance.random() < 0.1 else ""
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))] if body else []
        for _ in range(chance.randrange(3)):
            headers.insert(chance.randrange(len(headers) + 1), (chance.choice(NAMES), chance.choice(VALUES)))
        if chance.random() < 0.2:
            headers.pop(chance.randrange(len(headers)))
        lines = [f"{method} {self._server.prefix}qconnect/{self._path()} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers]
        return self._torn(("\r\n".join(lines) + "\r\n\r\n" + body).encode("utf-8", "surrogateescape"))

    def _path(self) -> str:
        path = self._chance.choice(self._paths)
        for _ in range(self._chance.choice((0, 0, 1, 2, 3))):
            at = self._chance.randrange(len(path) + 1)
            path = path[:at] + self._chance.choice(PIECES) + path[at + self._chance.randrange(3) :]
        return path

    def _torn(self, request: bytes) -> bytes:
        """One in ten lacks or has another byte somewhere behind its first line."""
        if self._chance.random() < 0.9:
            return request
        at = self._chance.randrange(request.index(b"\r\n"), len(request))
        return request[:at] + self._chance.choice([b"", b"\x00", b"\xff", b"\n", b"\r"]) + request[at + 1 :]


def status_of(server: JupyterServer, request: bytes) -> str:
    """The status of the answer; empty where the server hangs up without one."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line, suppress(ConnectionError):
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)  # of a body that is shorter than it says, there is no more to wait for
        found = re.match(rb"HTTP/1\.1 (\d{3})", line.recv(64))
        return found[1].decode() if found else ""
    return ""


@pytest.mark.timeout(3600 if LONG else 180)
def test_no_request_is_a_fault_of_the_server(
    alone: JupyterServer, table: list[tuple[str, type[Any]]], session: dict[str, Any]
) -> None:
    own = alone.launch()["id"]
    alone.wait_for(own, "READY")
    fuzz = Fuzz(alone, [path.replace(session["id"], own) for path, _ in table], seed=11)
    found: Counter[str] = Counter()
    faults = []
    for _ in range(REQUESTS):
        request = fuzz.request()
        status = status_of(alone, request)
        found[status] += 1
        faults += [(status, request)] if status.startswith("5") else []
    print(f"{REQUESTS} requests: {dict(found.most_common())}")
    assert faults == []
    assert "Traceback" not in alone.log
    assert len(found) > 5, "the answers are of many kinds"
    assert alone.request("GET", "qconnect/api/sessions").status == 200
