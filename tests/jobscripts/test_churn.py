"""Many sessions by REST leave nothing behind, on the machine or in the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.deadline import eventually
from tests.support.extent import LONG
from tests.support.servers import JupyterServer, displays, x_traces

ROUNDS = 100 if LONG else 25
AT_A_TIME = 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    limits = {"max_starts_per_minute": 0, "local_max_running": AT_A_TIME}
    server = JupyterServer(tmp_path, config={"QConnect": limits}).start()
    yield server
    server.close()


def one_round(server: JupyterServer, ready: Callable[[], None]) -> None:
    """Start, ready, stop, forget."""
    job_id = server.launch("xterm")["id"]
    server.wait_for(job_id, "READY", timeout=60)
    ready()
    assert server.end(job_id)["state"] == "ENDED"
    assert server.request("DELETE", f"qconnect/api/sessions/{job_id}").status == 204


@pytest.mark.timeout(600)
def test_many_sessions_leave_nothing(server: JupyterServer) -> None:
    numbers, seen = set[str](), set[str]()

    def look() -> None:
        numbers.update(displays(server.home))
        seen.update(x_traces(server.home, set()))

    def rounds(count: int) -> None:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(lambda _: one_round(server, look), range(count)))

    rounds(12)  # caches fill, lazy imports happen
    rss, fds = server.rss(), server.fds()
    rounds(ROUNDS)
    assert len(numbers) >= ROUNDS
    assert seen, "what a session has would not be seen"
    assert server.sessions() == []
    eventually(lambda: not server.leftovers(), 10, "the end of all processes")
    eventually(lambda: not x_traces(server.home, numbers), 10, "the end of X locks, sockets and runtime folders")
    assert not [path for path in (server.home / ".local/share/qconnect/sessions").iterdir() if path.is_dir()]
    eventually(lambda: server.fds() <= fds, 10, "no more open files than before")
    print(f"{ROUNDS} sessions: the server's memory grew by {(server.rss() - rss) / 1048576:.1f} MiB")
    assert server.rss() - rss <= 10 * 1024 * 1024
    assert not [path.name for path in server.home.iterdir() if "fakexinerama" in path.name or path.name == ".xpra"]
