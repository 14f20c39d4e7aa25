"""Nobody else can make the `local` scheduler run anything, whatever they put where its folders are or should be."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from qconnect_web.errors import SchedulerFailed, SchedulerUnavailable
from qconnect_web.schedulers.local import places
from qconnect_web.schedulers.local import runner as local_runner
from qconnect_web.schedulers.local.scheduler import LocalScheduler
from qconnect_web.values.job import JobSpec, JobState
from tests.support.deadline import eventually

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
NEIGHBOUR = 65534
HOST = socket.gethostname()
SPEC = JobSpec("x", memory="1MB")
JOB = {
    "id": "1.local", "name": "x", "queue": "local", "cores": 1, "walltime_s": 600, "max_running": 4, "session": "key1",
    "output": "/nowhere/scheduler.log", "workdir": "/", "submitted": 1.0, "environment": {},
}  # fmt: skip
PLANT = """
import json, os, sys, time
top, host, job, marker, mode = sys.argv[1:]
os.umask(0o777 & ~int(mode, 8))
folder = f"{top}/{host}/jobs/1"
os.makedirs(folder)
os.makedirs(f"{top}/{host}/done")
for name, text in (("job.json", job), ("script", f"#!/bin/bash\\nid -u >> {marker}\\n"), ("nodes", "")):
    with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
        file.write(text)
os.utime(folder, (time.time() - 60,) * 2)
"""
SWAP = """
import ctypes, sys
local, evil = (f"{sys.argv[1]}/{name}".encode() for name in ("local", "evil"))
exchange, count = ctypes.CDLL(None).renameat2, 0
print("ready", flush=True)
while True:
    count += exchange(-100, local, -100, evil, 2) == 0  # AT_FDCWD, RENAME_EXCHANGE
    if count == 200:
        print("swapped", flush=True)
"""


class Neighbourhood:
    """A folder that two accounts share, in which ours keeps its jobs; `marker` is where a job of theirs would tell."""

    def __init__(self, parent: Path) -> None:
        self.parent, self.local = parent, parent / "local"
        self.marker = parent / "ran"
        self.scheduler = LocalScheduler(self.local, max_running=4)

    def plant(self, top: Path, mode: str, account: int = NEIGHBOUR) -> None:
        """A state folder of that account, with a job that waits for its runner."""
        argv = ["/usr/bin/python3", "-IS", "-c", PLANT, str(top), HOST, json.dumps(JOB), str(self.marker), mode]
        subprocess.run(argv, user=account, group=account, extra_groups=[], check=True, timeout=30)

    def ours(self) -> list[str]:
        """What our server does all day; returns why it did not."""
        said = []
        for ask in (self.scheduler.mine(), self.scheduler.query(["1.local"]), self.scheduler.queues()):
            try:
                asyncio.run(ask)
            except SchedulerUnavailable as error:
                said.append(error.message)
        with suppress(SchedulerUnavailable):
            asyncio.run(self.scheduler.cancel("1.local"))
        try:
            job_id = asyncio.run(
                self.scheduler.submit("#!/bin/bash\n", SPEC, session="key2", folder=self.parent / "none")
            )
            eventually(lambda: self.over(job_id), 20, "the end of our own job")
        except SchedulerFailed as error:
            said.append(error.message)
        return said

    def over(self, job_id: str) -> bool:
        """Whether a job of ours has ended, as far as it can be told."""
        try:
            job = asyncio.run(self.scheduler.query([job_id])).get(job_id)
        except SchedulerUnavailable:
            return True
        return job is None or job.state in (JobState.COMPLETED, JobState.UNKNOWN)


@contextmanager
def neighbourhood(kind: str) -> Iterator[Neighbourhood]:
    with TemporaryDirectory(prefix="qc-neighbours-") as place:
        parent = Path(place)
        os.chown(parent, 0, NEIGHBOUR)
        parent.chmod(0o1777 if kind == "sticky" else 0o775)
        found = Neighbourhood(parent)
        found.marker.touch()
        found.marker.chmod(0o666)
        yield found
        assert found.marker.read_text("ascii") == "", "the neighbour's job ran"


def nothing_ran() -> None:
    """Waits until no runner is left that could still start something."""

    def runners() -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                found.append(path.read_bytes().decode(errors="replace"))
        return [line for line in found if "local/runner.py" in line and "qc-neighbours-" in line]

    eventually(lambda: not runners(), 20, "the end of all runners")


@ROOT
@pytest.mark.parametrize("kind", ["sticky", "group"])
@pytest.mark.parametrize("mode", ["0700", "0755", "0777"])
def test_a_state_folder_that_was_there_before_us_is_refused_with_its_path(kind: str, mode: str) -> None:
    with neighbourhood(kind) as found:
        found.plant(found.local, mode)
        said = found.ours()
        assert len(said) == 4
        assert all(str(found.local) in message for message in said), said
        nothing_ran()


@ROOT
@pytest.mark.parametrize("kind", ["sticky", "group"])
@pytest.mark.parametrize("level", ["local", "host", "jobs"])
@pytest.mark.parametrize(("mode", "account"), [("0777", NEIGHBOUR), ("0700", 0)], ids=["theirs", "ours"])
def test_a_link_is_refused_on_every_level(kind: str, level: str, mode: str, account: int) -> None:
    """Also one to a private folder of ours: what is in an archive that we unpacked there is somebody else's."""
    with neighbourhood(kind) as found:
        evil = found.parent / "evil"
        found.plant(evil, mode, account)
        places.make(found.local / HOST)
        link, target = {
            "local": (found.local, evil),
            "host": (found.local / HOST, evil / HOST),
            "jobs": (found.local / HOST / "jobs", evil / HOST / "jobs"),
        }[level]
        link.rename(found.parent / "ours")
        link.symlink_to(target)
        said = found.ours()
        assert len(said) == 4
        assert all(str(link) in message for message in said), said
        nothing_ran()


@ROOT
@pytest.mark.parametrize("kind", ["sticky", "group"])
@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_job_that_a_neighbour_left_while_our_folder_was_open_to_all_is_not_run(kind: str, mode: int) -> None:
    with neighbourhood(kind) as found:
        found.plant(found.parent / "evil", "0777")
        places.make(found.local / HOST)
        (found.parent / "evil" / HOST / "jobs/1").rename(found.local / HOST / "jobs/1")
        (job,) = asyncio.run(found.scheduler.mine())
        assert job.state is JobState.UNKNOWN
        found.ours()
        with pytest.raises(SchedulerUnavailable):
            asyncio.run(found.scheduler.cancel("1.local"))
        assert asyncio.run(found.scheduler.mine())
        runner = run_bare(found.local / HOST / "jobs/1")
        assert (runner.returncode, "Forbidden" in runner.stderr) == (1, True)
        nothing_ran()


@ROOT
@pytest.mark.parametrize("attempt", range(4))
def test_folders_that_change_places_all_the_time_run_nothing_of_the_neighbours(attempt: int) -> None:
    with neighbourhood("group") as found:
        found.plant(found.parent / "evil", ["0777", "0755"][attempt % 2])
        places.make(found.local / HOST)
        argv = ["/usr/bin/python3", "-IS", "-c", SWAP, str(found.parent)]
        swapper = subprocess.Popen(argv, user=NEIGHBOUR, group=NEIGHBOUR, extra_groups=[], stdout=subprocess.PIPE)
        try:
            assert swapper.stdout
            assert swapper.stdout.readline() == b"ready\n"
            until = time.monotonic() + 2
            while time.monotonic() < until:
                found.ours()
            assert swapper.stdout.readline() == b"swapped\n"
        finally:
            swapper.kill()
            swapper.communicate(timeout=10)
        nothing_ran()


def run_bare(folder: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-IS", local_runner.__file__, str(folder)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("level", [".", "..", "../..", "../../.."])
def test_a_runner_starts_nothing_where_others_may_write_on_any_level(tmp_path: Path, level: str) -> None:
    folder = tmp_path / "local" / HOST / "jobs" / "1"
    places.make(folder.parent.parent)
    folder.mkdir(mode=0o700)
    ran = tmp_path / "ran"
    for name, text in (("job.json", json.dumps(JOB)), ("script", f"#!/bin/bash\ntouch {ran}\n")):
        local_runner.write_private(folder / name, text)
    (folder / level).chmod(0o770)
    refused = run_bare(folder)
    assert (refused.returncode, "Forbidden" in refused.stderr) == (1, True)
    assert not ran.exists()
    (folder / level).chmod(0o700)
    assert run_bare(folder).returncode == 0
    assert ran.exists()


@pytest.mark.parametrize("name", ["job.json", "script"])
@pytest.mark.parametrize("trick", ["link", "second-name", "mode"])
def test_a_runner_starts_nothing_whose_files_others_could_have_changed(tmp_path: Path, name: str, trick: str) -> None:
    folder = tmp_path / "local" / HOST / "jobs" / "1"
    places.make(folder.parent.parent)
    folder.mkdir(mode=0o700)
    for file, text in (("job.json", json.dumps(JOB)), ("script", f"#!/bin/bash\ntouch {tmp_path}/ran\n")):
        local_runner.write_private(folder / file, text)
    path = folder / name
    if trick == "mode":
        path.chmod(0o620)
    elif trick == "second-name":
        os.link(path, tmp_path / "other")
    else:
        path.rename(tmp_path / "other")
        path.symlink_to(tmp_path / "other")
    refused = run_bare(folder)
    assert (refused.returncode, "Forbidden" in refused.stderr) == (1, True)
    assert not (tmp_path / "ran").exists()
    (job,) = asyncio.run(LocalScheduler(tmp_path / "local", max_running=4).mine())
    assert job.state is JobState.UNKNOWN


def test_a_job_prints_into_no_folder_but_its_sessions(tmp_path: Path) -> None:
    scheduler = LocalScheduler(tmp_path / "local", max_running=4)
    log = tmp_path / "open" / "scheduler.log"
    log.parent.mkdir(mode=0o777)
    log.parent.chmod(0o777)
    target = tmp_path / "private"
    target.touch()
    log.symlink_to(target)
    job_id = asyncio.run(scheduler.submit("#!/bin/bash\necho hello\n", SPEC, session="key1", folder=log.parent))

    def state() -> JobState:
        return asyncio.run(scheduler.query([job_id]))[job_id].state

    eventually(lambda: state() is JobState.COMPLETED, 20, "the end of the job")
    log.parent.chmod(0o700)
    job_id = asyncio.run(scheduler.submit("#!/bin/bash\necho hello\n", SPEC, session="key1", folder=log.parent))
    eventually(lambda: state() is JobState.COMPLETED, 20, "the end of the job")
    assert target.read_text("ascii") == ""
