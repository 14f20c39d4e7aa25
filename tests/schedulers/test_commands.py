"""Commands of a batch system: bounded in time, output and number; nothing of the server's secrets reaches them."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from qconnect_web.errors import SchedulerFailed, SchedulerUnavailable
from qconnect_web.schedulers import commands
from qconnect_web.schedulers.commands import Commands, Done, environment, run
from tests.support.deadline import aeventually, eventually

pytestmark = pytest.mark.unit


def sh(script: str, *, timeout: float = 10, text: str = "") -> Done:
    return asyncio.run(run(["/bin/sh", "-c", script], timeout=timeout, text=text))


def gone(pid: int) -> bool:
    """Whether no such process runs (one that waits to be reaped does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_status_output_and_errors_come_back() -> None:
    done = sh("cat; echo bad >&2; exit 153", text="a script\n")
    assert (done.status, done.out, done.err) == (153, "a script\n", "bad\n")
    assert done.words == "bad"


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    before = time.monotonic()
    with pytest.raises(SchedulerUnavailable, match="did not answer"):
        sh(f"sleep 60 & echo $! >{pids}; echo $$ >>{pids}; trap '' TERM; wait", timeout=0.5)
    assert time.monotonic() - before < 5
    eventually(lambda: all(gone(int(pid)) for pid in pids.read_text().split()), 5, "the end of the whole group")


def test_what_a_command_leaves_behind_does_not_delay_its_answer() -> None:
    before = time.monotonic()
    assert sh("sleep 30 & echo $!", timeout=20).out.strip().isdigit()
    assert time.monotonic() - before < 10


def test_an_endless_answer_is_cut_off() -> None:
    with pytest.raises(SchedulerFailed, match="longer than 64 MB"):
        sh("yes", timeout=60)


def test_endless_errors_are_kept_in_part() -> None:
    done = sh("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo fine")
    assert done.out == "fine\n"
    assert len(done.err) == commands.MAX_WORDS
    assert len(done.words) <= 600


def test_a_command_that_does_not_read_its_input_is_no_failure() -> None:
    assert sh("exec <&-; echo 1.head", text="x" * 1_000_000).out == "1.head\n"


def test_a_command_that_hangs_without_reading_leaves_no_pipe_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(SchedulerUnavailable):
        sh("exec >&- 2>&-; sleep 50", timeout=0.2, text="x" * 1_000_000)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_command_that_is_missing_is_a_plain_error() -> None:
    with pytest.raises(SchedulerFailed, match="could not be run") as failure:
        asyncio.run(run(["qsub-that-nobody-has"], timeout=5))
    assert failure.value.reason == "no-command"


def test_one_question_at_a_time(tmp_path: Path) -> None:
    counter = tmp_path / "alive"
    script = f"echo + >>{counter}; sleep 0.05; echo - >>{counter}"

    async def many() -> None:
        asking = Commands()
        await asyncio.gather(*(asking.ask(["/bin/sh", "-c", script]) for _ in range(10)))

    asyncio.run(many())
    assert counter.read_text().split() == ["+", "-"] * 10


def test_who_waits_for_a_slow_question_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "QUERY_TIMEOUT", 0.2)

    async def both() -> None:
        asking = Commands()
        slow = [asyncio.create_task(asking.ask(["sleep", "30"])) for _ in range(8)]
        done = await asyncio.wait_for(asyncio.gather(*slow, return_exceptions=True), 5)
        assert all(isinstance(error, SchedulerUnavailable) for error in done)

    asyncio.run(both())


def test_a_cancelled_question_is_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    async def cancel() -> None:
        asking = asyncio.create_task(run(["/bin/sh", "-c", f"echo $$ >{pid}; exec sleep 60"], timeout=60))
        await aeventually(lambda: pid.exists() and pid.read_text(), 5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(cancel())
    eventually(lambda: gone(int(pid.read_text())), 5, "the end of the command")


def test_commands_see_no_secret_and_no_other_jobs_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = (
        "JUPYTER_TOKEN",
        "JPY_API_TOKEN",
        "MY_SECRET",
        "SLURM_JOB_ID",
        "SBATCH_PARTITION",
        "PBS_JOBID",
        "SQUEUE_FORMAT",
    )
    for name in hidden:
        monkeypatch.setenv(name, "x")
    for name in ("PBS_DEFAULT", "SLURM_CONF", "SBATCH_ACCOUNT"):
        monkeypatch.setenv(name, "kept")
    seen = environment()
    assert not set(hidden) & set(seen)
    assert (seen["PBS_DEFAULT"], seen["SLURM_CONF"], seen["SBATCH_ACCOUNT"]) == ("kept", "kept", "kept")
    assert seen["PBSAPITIMEOUT"] == str(commands.API_TIMEOUT)
    assert commands.API_TIMEOUT < commands.QUERY_TIMEOUT


def test_files_that_a_command_makes_are_private(tmp_path: Path) -> None:
    os.umask(os.umask(0o022))
    asyncio.run(run(["/bin/sh", "-c", f"echo x >{tmp_path}/made"], timeout=5, folder=tmp_path))
    assert (tmp_path / "made").stat().st_mode & 0o077 == 0
