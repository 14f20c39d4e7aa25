"""Many pages at once: a thousand heartbeats a second keep nobody from the API for long."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest
import websockets

from tests.bench.api import latencies_ms
from tests.support.deadline import eventually
from tests.support.extent import LONG
from tests.support.servers import JupyterServer

PAGES = 1000 if LONG else 60
BEAT_S = 1.0
SPAN_S = 20.0 if LONG else 1.0
ROUNDS = 3 if LONG else 1


@pytest.fixture
def first() -> Iterator[None]:
    """Where times are compared, this test comes before whatever else the machine does, if that is allowed."""
    if LONG:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    yield
    if LONG:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@pytest.fixture
def servers(tmp_path: Path, browser_code: None, first: None) -> Iterator[list[JupyterServer]]:
    """One whose session a thousand pages show, and one beside it that nobody looks at."""
    settings = {"QConnect": {"max_live_websockets": 0, "local_max_running": 1}}
    found = [JupyterServer(tmp_path / name, config=settings) for name in ("crowded", "idle")]
    try:
        for server in found:
            server.home.mkdir()
            server.start()
        yield found
    finally:
        for server in found:
            server.close()


def crowd(address: str, token: str, opened: Any, over: Event) -> None:
    """So many pages of one session, each with its heartbeat, in a process of their own."""

    async def page(number: int, told: list[int]) -> None:
        options: dict[str, Any] = {
            "additional_headers": {"Authorization": f"token {token}"},
            "open_timeout": 120,
            "ping_interval": None,
        }
        await asyncio.sleep(number * 0.01)
        async with websockets.connect(address, **options) as live:
            opened.value += 1
            while not over.is_set():
                await live.send(json.dumps({"t": 1, "viewer": f"viewer-{number:04}", "size": [800, 600]}))
                assert json.loads(await live.recv())["session"]
                told[number] += 1
                await asyncio.sleep(BEAT_S)

    async def all_of_them() -> None:
        told = [0] * PAGES
        await asyncio.gather(*(page(number, told) for number in range(PAGES)))
        assert min(told) >= 1

    asyncio.run(all_of_them())


@pytest.mark.timeout(600)
def test_a_crowd_of_pages_leaves_the_api_quick(servers: list[JupyterServer]) -> None:
    """Both servers are asked in turns while the pages are there: they share the machine, and whatever else it does."""
    server = servers[0]
    job_id = server.launch()["id"]
    server.wait_for(job_id, "READY")
    latencies_ms(servers, 0.5)
    spawn = multiprocessing.get_context("spawn")
    opened, over = spawn.Value("i", 0), spawn.Event()
    address = f"ws{server.url.removeprefix('http')}qconnect/{job_id}/live"
    people = spawn.Process(target=crowd, args=(address, server.token, opened, over))
    people.start()
    try:
        eventually(lambda: opened.value == PAGES or not people.is_alive(), 200, "all pages")
        assert opened.value == PAGES
        time.sleep(2 * BEAT_S)  # their first heartbeats are spread by then
        found = [latencies_ms(servers, SPAN_S) for _ in range(ROUNDS)]
    finally:
        over.set()
        people.join(60)
    rounds = [(crowded, idle) for (_, crowded), (_, idle) in found]
    print(f"{PAGES} pages: API p99 {', '.join(f'{mine:.1f} ms (idle {other:.1f} ms)' for mine, other in rounds)}")
    assert people.exitcode == 0
    assert not LONG or statistics.median(crowded / idle for crowded, idle in rounds) <= 2
