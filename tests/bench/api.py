"""A user of the Jupyter server itself: how long it takes to answer, and what makes it slow."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.support.servers import JupyterServer

PAUSE_S = 0.01


def latency_ms(server: JupyterServer, seconds: float) -> tuple[float, float]:
    """p50 and p99 of `GET api/status` on one connection, 10 ms between two requests."""
    return latencies_ms([server], seconds)[0]


def latencies_ms(servers: Sequence[JupyterServer], seconds: float) -> list[tuple[float, float]]:
    """The same of several servers, asked in turns: what else the machine does at the time meets all of them alike."""
    connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=30) for server in servers]
    found: list[list[float]] = [[] for _ in servers]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for server, connection, taken in zip(servers, connections, found, strict=True):
            begun = time.perf_counter()
            connection.request("GET", f"{server.prefix}api/status", headers={"Authorization": f"token {server.token}"})
            connection.getresponse().read()
            taken.append((time.perf_counter() - begun) * 1000)
            time.sleep(PAUSE_S)
    for connection in connections:
        connection.close()
    return [(statistics.median(taken), sorted(taken)[len(taken) * 99 // 100]) for taken in found]


@contextmanager
def stall(server: JupyterServer, gil: str) -> Iterator[None]:
    """Stalls the server's loop while this is open."""
    assert server.request("POST", f"bench/stalls?gil={gil}").status == 204
    try:
        yield
    finally:
        assert server.request("POST", "bench/stalls?gil=none").status == 204
