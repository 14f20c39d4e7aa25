"""Two Jupyter servers and the command line at once, on the same sessions: nothing is doubled, lost or resurrected."""

from __future__ import annotations

import json
import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster.batch import Torque
from tests.cluster.conftest import settings
from tests.cluster.server import ClusterServer, server_on
from tests.cluster.world import Cluster
from tests.deadline import eventually
from tests.extent import LONG

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]
OPERATIONS = 500 if LONG else 45
CLI = "import sys; from qconnect_web.cli import main; sys.exit(main())"
FINAL = ("ENDED", "FAILED")


@pytest.fixture
def servers(cluster: Cluster, torque: Torque) -> Iterator[list[ClusterServer]]:
    """Two servers whose jobs are held, so that many cost little."""
    config = {"QConnect": settings("torque", native_options=["-h"], sessions_dir="/home/alice/together/sessions")}
    found = [server_on(cluster, f"together-{n}", config=config, path=(torque.bin,)) for n in range(2)]
    with torque.keeping(600):
        try:
            for server in found:
                server.start(120)
            yield found
        finally:
            for server in found:
                server.close()
            torque.empty()


class Doors:
    """Three ways in; each notes what it was told that it did."""

    def __init__(self, servers: list[ClusterServer]) -> None:
        self.servers = servers
        self.started: list[str] = []
        self.stopped: set[str] = set()
        self.errors: list[str] = []
        self._lock = threading.Lock()

    def command(self, *words: str) -> Any:
        """The command line's JSON."""
        server = self.servers[0]
        argv = [sys.executable, "-c", CLI, "--json", *words]
        return json.loads(server.cluster.login.run(argv, "alice", env=server.environment(), timeout=90).stdout)

    def start(self, door: int) -> None:
        if door < 2:
            job_id = self.servers[door].launch("xterm")["id"]
        else:
            found = self.command("-c", "--app", "xterm")
            job_id = (found[0] if isinstance(found, list) else found)["id"]
        with self._lock:
            self.started.append(job_id)

    def stop(self, door: int) -> None:
        with self._lock:
            left = [job_id for job_id in self.started if job_id not in self.stopped]
            if not left:
                return
            job_id = random.choice(left)
            self.stopped.add(job_id)
        if door < 2:
            assert self.servers[door].request("POST", f"qconnect/api/sessions/{job_id}/stop").status == 200
        else:
            self.command("--stop", job_id)

    def look(self, door: int) -> None:
        """A session whose stop has been answered must never be seen alive again."""
        with self._lock:
            known = set(self.started)
        found = {session["id"] for session in self.listed(door)}
        assert known <= found, f"lost: {known - found}"

    def listed(self, door: int) -> list[dict[str, Any]]:
        return self.servers[door].sessions() if door < 2 else list(self.command("--list", "--all"))

    def work(self, door: int, operations: int) -> None:
        """One door's share of the operations."""
        acts: list[Callable[[int], None]] = [self.start, self.start, self.stop, self.look]
        for _ in range(operations):
            try:
                random.choice(acts)(door)
            except Exception as error:
                self.errors.append(f"door {door}: {error!r}"[:600])


def test_interleaved_operations_of_three_doors(servers: list[ClusterServer], torque: Torque) -> None:
    doors = Doors(servers)
    shares = [OPERATIONS * 2 // 5, OPERATIONS * 2 // 5, OPERATIONS // 5]
    threads = [threading.Thread(target=doors.work, args=pair) for pair in enumerate(shares)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert doors.errors == []
    assert len(set(doors.started)) == len(doors.started), "an id was given twice"
    live = set(doors.started) - doors.stopped
    shown = torque.run("qstat").stdout.splitlines()[2:]
    jobs = {row.split()[0]: row.split()[-2] for row in shown}
    assert {job_id for job_id, state in jobs.items() if state != "C"} == live, "jobs without a session, or the reverse"
    for door in range(3):

        def agreed(door: int = door) -> bool:
            found = doors.listed(door)
            assert len({session["id"] for session in found}) == len(found), "a session is listed twice"
            known = {session["id"] for session in found}
            return known == set(doors.started) and {s["id"] for s in found if s["state"] not in FINAL} == live

        eventually(agreed, 60, f"door {door} to agree: {doors.started} started, {doors.stopped} stopped")
    print(f"{OPERATIONS} operations: {len(doors.started)} started, {len(doors.stopped)} stopped, all agree")
