"""Two Jupyter servers and the command line at once, on the same sessions: nothing is doubled, lost or resurrected."""

from __future__ import annotations

import json
import random
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import settings
from tests.cluster.server import ClusterServer, server_on
from tests.support.deadline import eventually
from tests.support.extent import LONG

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]
OPERATIONS = 500 if LONG else 45
CLI = "import sys; from qconnect_web.cli import main; sys.exit(main())"
FINAL = ("ENDED", "FAILED")
OVER = ("ENDING", *FINAL)
NEWS_S = 5.0
"""Seconds after which each door must show what another one did: a listing waits for nobody, so it may be behind."""


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
        self.started: dict[str, float] = {}
        self.stopped: dict[str, float] = {}
        self.seen: list[dict[str, str]] = [{}, {}, {}]
        self.took: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self.starts = 0
        self._lock = threading.Lock()

    def command(self, *words: str) -> Any:
        """The command line's JSON."""
        server = self.servers[0]
        argv = [sys.executable, "-c", CLI, "--json", *words]
        return json.loads(server.cluster.login.run(argv, "alice", env=server.environment(), timeout=90).stdout)

    def start(self, door: int) -> str:
        if door < 2:
            job_id = self.servers[door].launch("xterm")["id"]
        else:
            found = self.command("-c", "--app", "xterm")
            job_id = (found[0] if isinstance(found, list) else found)["id"]
        with self._lock:
            self.started[job_id] = time.monotonic()
            self.starts += 1
        return str(job_id)

    def stop(self, door: int) -> None:
        with self._lock:
            left = [job_id for job_id in self.started if job_id not in self.stopped]
            if not left:
                return
            job_id = random.choice(left)
            self.stopped[job_id] = float("inf")
        self.end(door, job_id)
        self.stopped[job_id] = time.monotonic()

    def end(self, door: int, job_id: str) -> None:
        if door < 2:
            assert self.servers[door].request("POST", f"qconnect/api/sessions/{job_id}/stop").status == 200
        else:
            self.command("--stop", job_id)

    def look(self, door: int) -> None:
        """None is lost, none that was told to stop goes on, and none that this door has shown vanishes or revives."""
        with self._lock:
            old = time.monotonic() - NEWS_S
            known = {job_id for job_id, when in self.started.items() if when < old}
            stopped = {job_id for job_id, when in self.stopped.items() if when < old}
        found = {session["id"]: session["state"] for session in self.listed(door)}
        seen, self.seen[door] = self.seen[door], found
        assert not (lost := (known | set(seen)) - set(found)), f"lost: {lost}"
        going = {job_id: found[job_id] for job_id in stopped if found[job_id] not in OVER}
        assert not going, f"goes on though it was stopped: {going}"
        revived = {job_id: found[job_id] for job_id in seen if seen[job_id] in FINAL and found[job_id] not in FINAL}
        assert not revived, f"was over: {revived}"

    def listed(self, door: int) -> list[dict[str, Any]]:
        return self.servers[door].sessions() if door < 2 else list(self.command("--list", "--all"))

    def work(self, door: int, operations: int) -> None:
        """One door's share of the operations."""
        acts: list[Callable[[int], object]] = [self.start, self.start, self.stop, self.look]
        for _ in range(operations):
            act, before = random.choice(acts), time.monotonic()
            try:
                act(door)
            except Exception as error:
                self.errors.append(f"door {door}: {error!r}"[:600])
            self.took[f"{'server' if door < 2 else 'qconnect'} {act.__name__}"].append(time.monotonic() - before)


def test_interleaved_operations_of_three_doors(servers: list[ClusterServer], torque: Torque) -> None:
    doors = Doors(servers)
    shares = [OPERATIONS * 2 // 5, OPERATIONS * 2 // 5, OPERATIONS // 5]
    threads = [threading.Thread(target=doors.work, args=pair) for pair in enumerate(shares)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for act, took in sorted(doors.took.items()):
        print(f"{act}: {len(took)} times, median {statistics.median(took):.1f} s, at most {max(took):.1f} s")
    assert doors.errors == []
    assert len(doors.started) == doors.starts, "an id was given twice"
    live = set(doors.started) - set(doors.stopped)
    shown = torque.run("qstat").stdout.splitlines()[2:]
    jobs = {row.split()[0]: row.split()[-2] for row in shown}
    assert {job_id for job_id, state in jobs.items() if state != "C"} == live, "jobs without a session, or the reverse"
    for door in range(3):

        def agreed(door: int = door) -> bool:
            found = doors.listed(door)
            assert len({session["id"] for session in found}) == len(found), "a session is listed twice"
            known = {session["id"] for session in found}
            return known == set(doors.started) and {s["id"] for s in found if s["state"] not in FINAL} == live

        eventually(agreed, 60, f"door {door} to agree: {set(doors.started)} started, {set(doors.stopped)} stopped")
    print(f"{OPERATIONS} operations: {len(doors.started)} started, {len(doors.stopped)} stopped, all agree")


@pytest.fixture(params=["torque", "slurm"] if LONG else ["torque"])
def doors(cluster: Cluster, torque: Torque, request: pytest.FixtureRequest) -> Iterator[Doors]:
    """Two servers and the command line as a site has them: none may ask the batch system often."""
    name = f"doors-{request.param}"
    config = {"QConnect": {"scheduler": "auto", "sessions_dir": f"/home/alice/{name}/sessions"}}
    path = (torque.bin,) if request.param == "torque" else ()
    found = [server_on(cluster, f"{name}{suffix}", config=config, path=path) for suffix in ("", "-2")]
    try:
        for server in found:
            server.start(120)
        yield Doors(found)
    finally:
        for server in found:
            server.close()
        cluster.login.run(["scancel", "-u", "alice"])


def all_say(doors: Doors, job_id: str, *states: str) -> float:
    """How many seconds it takes until every door says that the session is in one of these states."""

    def says(door: int) -> bool:
        return any(found["id"] == job_id and found["state"] in states for found in doors.listed(door))

    began = time.monotonic()
    for door in range(3):
        eventually(lambda door=door: says(door), NEWS_S + 5, f"door {door} to say {states}")
    return time.monotonic() - began


def test_what_one_door_does_the_others_show_soon(doors: Doors, cluster: Cluster) -> None:
    """A session of a server's and one of the command's, each stopped at another door; then one that waits."""
    took: dict[str, float] = {}
    for starter, stopper in ((0, 2), (2, 1)):
        job_id = doors.start(starter)
        took[f"started at {starter}"] = all_say(doors, job_id, "QUEUED", "STARTING", "READY")
        doors.servers[starter % 2].wait_for(job_id, "READY")
        took[f"ready, started at {starter}"] = all_say(doors, job_id, "READY")
        doors.end(stopper, job_id)
        took[f"stopped at {stopper}"] = all_say(doors, job_id, *OVER)
    first, second = cluster.compute
    with cluster.closed(first), cluster.closed(second):
        job_id = doors.start(1)
        took["waits"] = all_say(doors, job_id, "QUEUED")
        doors.end(0, job_id)
        took["stopped while it waits"] = all_say(doors, job_id, *OVER)
    print({what: round(seconds, 1) for what, seconds in took.items()})
    assert max(took.values()) <= NEWS_S, took
