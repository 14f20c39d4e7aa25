"""Asks for a session's display without leave, again and again, from a process of its own.

    python tests/proxy/stranger.py PORT PATH AT_LEAST

Goes on until its input ends and it has asked at least so often; then prints how often it was refused and let in.
"""

from __future__ import annotations

import json
import select
import socket
import sys

KINDS = ("Origin: https://evil.example\r\n", "", "Authorization: token wrong\r\n", "Cookie: a=b\r\n")
UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


def refused(port: int, path: str, kind: str) -> bool:
    """Whether one request was answered 403."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{UPGRADE}{KEY}{kind}\r\n".encode())
        return connection.recv(12) == b"HTTP/1.1 403"


def main(port: int, path: str, at_least: int) -> None:
    counts = {True: 0, False: 0}
    while (asked := sum(counts.values())) < at_least or not select.select([sys.stdin], [], [], 0)[0]:
        counts[refused(port, path, KINDS[asked % len(KINDS)])] += 1
    print(json.dumps([counts[True], counts[False]]))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
