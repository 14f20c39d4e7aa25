"""The `local` scheduler with real processes: queue, slots, hold, cancel, walltime, and crashes of everything."""

from __future__ import annotations

import asyncio
import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from qconnect_web.errors import BadRequest, SchedulerFailed
from qconnect_web.schedulers.local import runner as local_runner
from qconnect_web.schedulers.local import scheduler
from qconnect_web.schedulers.local.runner import Runner, finish, lock, read_json, write_json
from qconnect_web.schedulers.local.scheduler import LocalScheduler
from qconnect_web.values.job import Job, JobSpec, JobState
from tests.support.deadline import eventually

SPEC = JobSpec("test job", memory="1MB", walltime="01:00:00")
STANDARD_SIGNALS = (1 << 31) - 1
"""Signals 1 to 31 as a mask of proc(5); the C library keeps 32 and 33 for itself."""
FOREVER = "#!/bin/bash\nexec sleep 1000\n"


class Machine:
    """A scheduler of its own in a temporary folder, asked synchronously."""

    def __init__(self, folder: Path, max_running: int = 4) -> None:
        self.folder = folder
        self.scheduler = LocalScheduler(folder / "state", max_running=max_running)

    def submit(self, script: str, spec: JobSpec = SPEC, session: str = "key1") -> str:
        return asyncio.run(self.scheduler.submit(script, spec, session=session, folder=self.folder))

    def job(self, job_id: str) -> Job | None:
        return asyncio.run(self.scheduler.query([job_id])).get(job_id)

    def mine(self) -> list[Job]:
        return asyncio.run(self.scheduler.mine())

    def cancel(self, job_id: str) -> None:
        asyncio.run(self.scheduler.cancel(job_id))

    def wait(self, job_id: str, state: JobState, timeout: float = 10) -> Job:
        def arrived() -> Job | None:
            job = self.job(job_id)
            return job if job and job.state is state else None

        found = eventually(arrived, timeout, f"{state} of {job_id}: {self.job(job_id)}")
        assert found
        return found

    def state_of(self, job_id: str) -> Path:
        return next(self.folder.glob(f"state/*/jobs/{job_id.removesuffix('.local')}"))

    def kill_runner(self, job_id: str) -> None:
        runner = json.loads((self.state_of(job_id) / "runner.json").read_text())["process"]
        os.kill(int(runner.partition(":")[0]), signal.SIGKILL)

    def processes(self) -> list[psutil.Process]:
        """Runners and everything that a job started here, found by the folder in their environment or command."""
        marker = str(self.folder)
        found = []
        for process in psutil.process_iter():
            try:
                values = [*process.environ().values(), *process.cmdline()]
            except psutil.Error:
                continue
            if process.pid != os.getpid() and any(marker in value for value in values):
                found.append(process)
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    for process in machine.processes():
        process.kill()
    eventually(lambda: not machine.processes(), 5, "the end of all processes")


def marked(machine: Machine, script: str) -> str:
    """A script whose processes all carry the machine's folder in their environment."""
    return f"#!/bin/bash\nexport MARK={machine.folder}\n{script}\n"


def test_a_job_runs_and_its_exit_status_is_kept(machine: Machine) -> None:
    job_id = machine.submit("#!/bin/bash\necho hello; echo oops >&2; exit 7\n")
    assert job_id == "1.local"
    job = machine.wait(job_id, JobState.COMPLETED)
    assert job.exit_status == 7
    assert job.session == "key1"
    assert job.ended
    assert (machine.folder / "scheduler.log").read_text() == "hello\noops\n"


def test_a_job_killed_by_a_signal_reports_it_as_torque_does(machine: Machine) -> None:
    job_id = machine.submit("#!/bin/bash\nkill -9 $$\n")
    assert machine.wait(job_id, JobState.COMPLETED).exit_status == 256 + 9


def test_an_empty_script_is_refused(machine: Machine) -> None:
    with pytest.raises(SchedulerFailed, match="empty"):
        machine.submit(" \n")
    assert machine.mine() == []


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        (JobSpec("x", cores=10_000), "10000 cores"),
        (JobSpec("x", memory="900TB"), "900TB"),
        (JobSpec("x", nodes=2), "2 nodes"),
        (JobSpec("x", queue="batch"), "no queue batch"),
    ],
)
def test_what_this_machine_can_never_run_is_refused(machine: Machine, spec: JobSpec, word: str) -> None:
    with pytest.raises(BadRequest, match=word):
        machine.submit(FOREVER, spec)


def test_an_unknown_job_is_missing_from_the_answer(machine: Machine) -> None:
    assert machine.job("99.local") is None
    assert machine.job("99.other") is None
    machine.cancel("99.local")
    with pytest.raises(BadRequest):
        machine.cancel("../../etc")


def test_jobs_over_the_limit_wait_their_turn_in_order(tmp_path: Path, machine: Machine) -> None:
    machine.scheduler = LocalScheduler(tmp_path / "state", max_running=1)
    order = tmp_path / "order"
    first = machine.submit(f"#!/bin/bash\necho 1 >> {order}; exec sleep 1000\n")
    machine.wait(first, JobState.RUNNING)
    others = [machine.submit(f"#!/bin/bash\necho {n} >> {order}\n") for n in range(2, 8)]
    for job_id in others:
        job = machine.wait(job_id, JobState.QUEUED)
        assert "waits for its turn" in (job.comment or "")
    machine.cancel(first)
    for job_id in others:
        machine.wait(job_id, JobState.COMPLETED)
    assert order.read_text().split() == [str(n) for n in range(1, 8)]


def test_a_job_keeps_its_place_while_its_runner_is_still_starting(machine: Machine) -> None:
    machine.scheduler = LocalScheduler(machine.folder / "state", max_running=1)
    machine.scheduler._launch = lambda folder: None  # type: ignore[method-assign]  # as slow as can be
    first, second = (machine.state_of(machine.submit(FOREVER)) for _ in range(2))
    assert Runner(second).take_turn() == 1
    os.utime(first, (time.time() - 60,) * 2)  # its runner must have died
    assert Runner(second).take_turn() == 0


def test_a_held_job_waits_until_it_is_released_and_lets_others_pass(tmp_path: Path, machine: Machine) -> None:
    machine.scheduler = LocalScheduler(tmp_path / "state", max_running=1)
    first = machine.submit(FOREVER)
    machine.wait(first, JobState.RUNNING)
    held, later = machine.submit("#!/bin/bash\n"), machine.submit("#!/bin/bash\n")
    asyncio.run(machine.scheduler.hold(held))
    machine.wait(held, JobState.HELD)
    machine.cancel(first)
    machine.wait(later, JobState.COMPLETED)
    assert machine.wait(held, JobState.HELD)
    assert Runner(machine.state_of(held)).take_turn() > 0, "a slot is free, and still it is not its turn"
    asyncio.run(machine.scheduler.release(held))
    assert machine.wait(held, JobState.COMPLETED).exit_status == 0


def test_cancelling_a_queued_job_gives_no_exit_status(tmp_path: Path, machine: Machine) -> None:
    machine.scheduler = LocalScheduler(tmp_path / "state", max_running=1)
    first = machine.submit(FOREVER)
    machine.wait(first, JobState.RUNNING)
    second = machine.submit(FOREVER)
    machine.cancel(second)
    assert machine.wait(second, JobState.COMPLETED).exit_status is None
    machine.cancel(first)


def test_cancelling_ends_the_whole_tree_even_what_ignores_term(machine: Machine) -> None:
    tree = "trap '' TERM\n(trap '' TERM; while :; do sleep 1; done) & (sleep 1000 & sleep 1000 & wait) &\nwait"
    job_id = machine.submit(marked(machine, tree))
    machine.wait(job_id, JobState.RUNNING)
    eventually(lambda: len(machine.processes()) >= 5, 5, "the tree")
    machine.cancel(job_id)
    assert machine.wait(job_id, JobState.COMPLETED).exit_status == 271
    eventually(lambda: not machine.processes(), 5, "the end of the tree")
    machine.cancel(job_id)  # a second time is harmless


def test_what_a_script_leaves_behind_in_its_session_ends_with_it(machine: Machine) -> None:
    job_id = machine.submit(marked(machine, "sleep 1000 &\nexit 0"))
    assert machine.wait(job_id, JobState.COMPLETED).exit_status == 0
    eventually(lambda: not machine.processes(), 5, "the end of the tree")


def test_the_walltime_ends_a_job(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def short(path: Path, data: dict[str, Any]) -> None:
        write_json(path, {**data, "walltime_s": 1} if "walltime_s" in data else data)

    monkeypatch.setattr(scheduler, "write_json", short)
    job_id = machine.submit(marked(machine, "trap 'exit 0' TERM; sleep 1000 & wait"))
    assert machine.wait(job_id, JobState.COMPLETED, 15).exit_status == -11
    eventually(lambda: not machine.processes(), 5, "the end of the tree")


def test_jobs_survive_the_server_and_others_see_them(machine: Machine) -> None:
    other = multiprocessing.get_context("spawn").Process(target=_submit_elsewhere, args=(machine.folder,))
    other.start()
    other.join(30)
    assert other.exitcode == 0
    machine.wait("1.local", JobState.RUNNING)
    machine.cancel("1.local")
    assert machine.wait("1.local", JobState.COMPLETED).exit_status == 271


def _submit_elsewhere(folder: Path) -> None:
    Machine(folder).submit(FOREVER)


def test_a_killed_runner_is_noticed_and_its_job_ended(machine: Machine) -> None:
    job_id = machine.submit(marked(machine, "sleep 1000 & wait"))
    machine.wait(job_id, JobState.RUNNING)
    started = machine.state_of(job_id) / "started.json"
    eventually(lambda: json.loads(started.read_text())["session"], 5, "the session id")
    machine.kill_runner(job_id)
    assert machine.wait(job_id, JobState.COMPLETED).exit_status == 265
    eventually(lambda: not machine.processes(), 5, "the end of the tree")


@pytest.mark.parametrize("case", ["boot", "number"])
def test_nobody_is_killed_for_a_dead_job_whose_numbers_are_of_another_boot_or_process(
    machine: Machine, case: str
) -> None:
    job_id = machine.submit(FOREVER)
    machine.wait(job_id, JobState.RUNNING)
    folder = machine.state_of(job_id)
    eventually(lambda: json.loads((folder / "started.json").read_text())["session"], 5, "the session id")
    started = json.loads((folder / "started.json").read_text())
    pid = int(started["session"].partition(":")[0])
    eventually(lambda: psutil.Process(pid).name() == "sleep", 5, "the script")
    machine.kill_runner(job_id)
    forged = {"boot": "another"} if case == "boot" else {"session": f"{pid}:1"}
    write_json(folder / "started.json", {**started, **forged})
    assert machine.wait(job_id, JobState.COMPLETED).exit_status == 265
    assert psutil.Process(pid).status() == psutil.STATUS_SLEEPING
    os.kill(pid, signal.SIGKILL)


def test_a_job_sees_pbs_variables_and_no_secret(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"JUPYTER_TOKEN": "canary-1", "JUPYTERHUB_API_TOKEN": "canary-2", "JPY_API_TOKEN": "canary-3"}
    secrets |= {"MY_PASSWORD": "canary-4", "DISPLAY": ":77", "XDG_RUNTIME_DIR": "/run/canary-5", "KEPT": "kept"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    job_id = machine.submit("#!/bin/bash\nenv; pwd; umask; cat $PBS_NODEFILE; cat /proc/$PPID/environ\n")
    machine.wait(job_id, JobState.COMPLETED)
    text = (machine.folder / "scheduler.log").read_text()
    assert "canary" not in text
    assert ":77" not in text
    assert "KEPT=kept" in text
    for line in ("PBS_ENVIRONMENT=PBS_BATCH", "PBS_JOBID=1.local", "PBS_JOBNAME=test_job", "PBS_WALLTIME=3600"):
        assert line in text
    assert "QCONNECT_SESSION=key1" in text
    assert f"\n{Path.home()}\n0077\n" in text


def test_a_hundred_submissions_at_once_get_a_hundred_numbers(machine: Machine) -> None:
    machine.scheduler = LocalScheduler(machine.folder / "state", max_running=1)
    blocker = machine.submit(FOREVER)
    ids: list[str] = []
    launch = machine.scheduler._launch
    machine.scheduler._launch = lambda folder: None  # type: ignore[method-assign]  # numbers are the point here
    threads = [threading.Thread(target=lambda: ids.append(machine.submit(FOREVER))) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 100
    machine.scheduler._launch = launch  # type: ignore[method-assign]  # as before
    for folder in machine.folder.glob("state/*/jobs/*"):
        (folder / "cancelled").touch()
    machine.cancel(blocker)


STEPS = {
    "asked": ("_submit", "before"),
    "folder-made": ("_next_number", "before"),
    "number-taken": ("_next_number", "after"),
    "job-written": ("_write_job", "after"),
    "moved-in": ("_launch", "before"),
    "launched": ("_launch", "after"),
}
"""Points of a submission: a method of the scheduler, and whether its server dies before or after it."""


@pytest.mark.parametrize("step", STEPS)
def test_a_server_killed_during_a_submission_leaves_no_job_or_a_whole_one(machine: Machine, step: str) -> None:
    other = multiprocessing.get_context("spawn").Process(target=_die_at, args=(machine.folder, *STEPS[step]))
    other.start()
    other.join(30)
    assert other.exitcode == -signal.SIGKILL
    if step not in ("moved-in", "launched"):
        assert machine.mine() == []
        assert machine.submit("#!/bin/bash\n") in ("1.local", "2.local")
        return
    (job,) = machine.mine()
    assert job.session == "key1"
    machine.wait(job.id, JobState.RUNNING, 20)
    machine.cancel(job.id)
    assert machine.wait(job.id, JobState.COMPLETED).exit_status == 271


def _die_at(folder: Path, step: str, when: str) -> None:
    machine = Machine(folder)
    method = getattr(machine.scheduler, step)

    def dying(*args: Any) -> None:
        if when == "after":
            method(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(machine.scheduler, step, dying)
    machine.submit(FOREVER)


def test_what_a_dead_submission_left_is_swept(machine: Machine) -> None:
    machine.submit("#!/bin/bash\n")
    (root,) = machine.folder.glob("state/*")
    for name, age in (("new-old", 7200), ("new-young", 60)):
        (root / name).mkdir()
        os.utime(root / name, (time.time() - age,) * 2)
    machine.submit("#!/bin/bash\n")
    assert [path.name for path in root.glob("new-*")] == ["new-young"]


def test_a_job_whose_runner_cannot_start_is_not_left_in_the_queue(machine: Machine) -> None:
    def failing(_: Path) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    machine.scheduler._launch = failing  # type: ignore[method-assign]  # as fork does at a limit of processes
    with pytest.raises(SchedulerFailed, match="temporarily unavailable"):
        machine.submit(FOREVER)
    assert machine.mine() == []
    assert not list(machine.folder.glob("state/*/new-*"))


def test_a_finished_job_is_never_seen_waiting_again(machine: Machine) -> None:
    order = [JobState.QUEUED, JobState.RUNNING, JobState.COMPLETED]
    for _ in range(12):
        job_id = machine.submit("#!/bin/bash\nsleep 0.05\n")
        seen = [JobState.QUEUED]
        while seen[-1] is not JobState.COMPLETED:
            job = machine.job(job_id)
            assert job, seen
            seen.append(job.state)
            assert order.index(seen[-1]) >= order.index(seen[-2]), seen[-2:]


def test_a_job_that_ends_while_it_is_looked_at_is_seen_ended(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.scheduler._launch = lambda folder: None  # type: ignore[method-assign]  # this test is the runner
    job_id = machine.submit(FOREVER)
    folder = machine.state_of(job_id)
    write_json(folder / "started.json", {"time": 1.0, "session": None, "boot": ""})

    def late(path: Path) -> dict[str, Any] | None:
        if path.name == "started.json" and folder.exists():
            finish(folder, 5)
        return read_json(path)

    monkeypatch.setattr(scheduler, "read_json", late)
    with lock(folder / "runner.lock"):
        job = machine.job(job_id)
    assert job
    assert (job.state, job.exit_status) == (JobState.COMPLETED, 5)


def test_a_finished_job_is_forgotten_in_the_end(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    old = machine.submit("#!/bin/bash\n")
    machine.wait(old, JobState.COMPLETED)
    new = machine.submit("#!/bin/bash\n")
    machine.wait(new, JobState.COMPLETED)
    assert {job.id for job in machine.mine()} == {old, new}
    monkeypatch.setattr(scheduler, "KEEP_COMPLETED_S", -1)
    last = machine.submit(FOREVER)
    assert {job.id for job in machine.mine()} == {last}
    machine.cancel(last)


def test_numbers_are_never_given_twice_even_when_the_counter_is_torn(machine: Machine) -> None:
    machine.submit("#!/bin/bash\n")
    machine.wait(machine.submit("#!/bin/bash\n"), JobState.COMPLETED)
    (counter,) = machine.folder.glob("state/*/number.json")
    counter.write_text("")
    assert machine.submit("#!/bin/bash\n") == "3.local"


def test_the_script_never_runs_when_its_runner_dies_before_writing_its_session_down(machine: Machine) -> None:
    job_id = machine.submit(FOREVER)
    machine.wait(job_id, JobState.RUNNING)
    folder = machine.state_of(job_id)
    machine.cancel(job_id)
    machine.wait(job_id, JobState.COMPLETED)
    ran = machine.folder / "ran"
    again = machine.folder / "again/jobs/1"
    again.parent.mkdir(parents=True)
    (folder.parent.parent / "done" / folder.name).rename(again)
    for name in ("started.json", "ended.json", "cancelled"):
        (again / name).unlink()
    (again / "script").write_text(f"#!/bin/bash\ntouch {ran}\n")
    runner = subprocess.run([sys.executable, "-c", DYING_RUNNER, str(again)], timeout=30, check=False)
    assert runner.returncode == -signal.SIGKILL
    eventually(lambda: not machine.processes(), 5, "the end of the script's shell")
    assert not ran.exists()
    subprocess.run([sys.executable, "-IS", local_runner.__file__, str(again)], timeout=30, check=True)
    assert not ran.exists(), "a job that has started is not started again"


DYING_RUNNER = """
import os, signal, sys
from qconnect_web.schedulers.local import runner
write = runner.write_json
def dying(path, data):
    if data.get("session"):
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, data)
runner.write_json = dying
runner.main()
"""


def test_a_job_that_prints_without_end_is_neither_stopped_nor_kept_whole(machine: Machine) -> None:
    job_id = machine.submit("#!/bin/bash\nhead -c 5000000 /dev/zero; exit 4\n")
    assert machine.wait(job_id, JobState.COMPLETED).exit_status == 4
    assert (machine.folder / "scheduler.log").stat().st_size == 1 << 20


def test_a_job_whose_folder_is_gone_still_prints_and_ends(tmp_path: Path, machine: Machine) -> None:
    machine.folder = tmp_path / "gone"
    job_id = machine.submit("#!/bin/bash\nhead -c 500000 /dev/zero; exit 4\n")
    assert machine.wait(job_id, JobState.COMPLETED).exit_status == 4


def test_a_job_starts_with_no_signal_ignored_as_below_a_login_shell(machine: Machine) -> None:
    machine.wait(machine.submit("#!/bin/bash\nexec cat /proc/self/status\n"), JobState.COMPLETED)
    text = (machine.folder / "scheduler.log").read_text()
    for name in ("SigIgn", "SigBlk"):
        (bits,) = [line.split()[1] for line in text.splitlines() if line.startswith(name)]
        assert int(bits, 16) & STANDARD_SIGNALS == 0, name


def test_nobody_else_can_read_what_is_kept(machine: Machine) -> None:
    before = os.umask(0)
    try:
        job_id = machine.submit(FOREVER)
    finally:
        os.umask(before)
    machine.wait(job_id, JobState.RUNNING)
    paths = list((machine.folder / "state").rglob("*"))
    assert len(paths) > 8
    assert not [path for path in paths if path.stat().st_mode & 0o077]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_process_of_another_user_in_the_session_does_not_stop_the_end_of_the_others() -> None:
    session = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    place = tempfile.TemporaryDirectory(prefix="qc-nobody-")  # nobody can reach it, unlike tmp_path
    Path(place.name).chmod(0o755)
    (Path(place.name) / "runner.py").write_text(Path(local_runner.__file__).read_text())
    code = f"import sys; sys.path.insert(0, {place.name!r}); import runner; runner.end_session({session.pid}, 0)"
    try:
        python = "/usr/bin/python3"
        done = subprocess.run([python, "-IS", "-c", code], user=65534, timeout=30, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert session.poll() is None
    finally:
        place.cleanup()
        session.kill()
        session.wait(10)
