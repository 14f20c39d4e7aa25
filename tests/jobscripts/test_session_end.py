"""Ending a session: whatever happens to the job, nothing of it stays on the node, and the reason is told."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from qconnect_web.values.job import JobSpec
from qconnect_web.values.session import End
from tests.support.deadline import eventually
from tests.support.script_run import ScriptRun, app, mentioning

# Leaves children in every way that is known to escape: setsid, a double fork, an emptied environment, deaf to TERM.
ESCAPES = """
trap '' TERM
setsid sleep 1000 &
(setsid bash -c 'trap "" TERM HUP; sleep 1000 & wait' &)
(env -i setsid sleep 1000 &)
(env -i setsid bash -c 'exec -a hidden sleep 1000' </dev/null >/dev/null 2>&1 &)
sleep 1000 &
: >escaped
wait
"""

# What a later job can still find when the supervisor was killed too: with the session's environment.
STRAYS = "".join(line for line in ESCAPES.splitlines(keepends=True) if "env -i" not in line)


@pytest.fixture
def run(tmp_path: Path) -> ScriptRun:
    return ScriptRun(tmp_path)


def end_of(run: ScriptRun, happen: Callable[[ScriptRun], object]) -> End:
    """Starts a session full of escaping processes, lets something happen, and expects nothing to be left."""
    with run:
        connection = run.ready()
        eventually((run.home / "escaped").exists, what="the program")
        (run.home / "escaped").unlink()
        seen = len(run.look())
        runtime = run.runtime
        assert seen > 12, run.living()
        began = time.monotonic()
        happen(run)
        end = End.from_json(run.ended())
        took = time.monotonic() - began
        eventually(lambda: not run.leftovers(connection["display"], runtime), 5, f"{run.living()} to be gone")
        assert took < 10  # the program's 2 s, and a busy machine
        assert end.run == run.text("run").strip()
        assert end.job == run.job
        assert not [path.name for path in run.folder.iterdir() if path.suffix in (".key", ".pem")]
        run.exit_status()
        return end


def test_a_cancelled_job_leaves_nothing(run: ScriptRun) -> None:
    end = end_of(run.by_hand(app("bash", "-c", ESCAPES)), ScriptRun.cancel)
    assert (end.reason, end.exit_status) == ("cancelled", None)
    assert "cancelled after" in end.message


def test_a_job_that_is_told_as_a_whole_is_cancelled_not_ended(run: ScriptRun) -> None:
    """Slurm sends TERM to every process of a job; the program's own end is then not the reason."""

    def tell_all(one: ScriptRun) -> None:
        for pid in one.look():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    assert end_of(run.by_hand(app("bash", "-c", ESCAPES)), tell_all).reason == "cancelled"


@pytest.mark.parametrize(
    ("name", "reason"), [("xpra", "xpra-died"), ("xvfb", "xpra-died"), ("supervisor", "xpra-died")]
)
def test_a_killed_part_takes_the_rest_with_it(run: ScriptRun, name: str, reason: str) -> None:
    end = end_of(run.by_hand(app("bash", "-c", ESCAPES)), lambda one: os.kill(one.pid(name), signal.SIGKILL))
    assert end.reason == reason
    assert end.exit_status is None


def test_a_killed_top_shell_is_a_cancelled_job(run: ScriptRun) -> None:
    def kill_top(one: ScriptRun) -> None:
        assert one.process
        one.process.kill()

    assert end_of(run.by_hand(app("bash", "-c", ESCAPES)), kill_top).reason == "cancelled"


def test_at_the_walltime_it_says_walltime(run: ScriptRun) -> None:
    run.env["PBS_WALLTIME"] = "5"
    end = end_of(run.by_hand(app("bash", "-c", ESCAPES)), ScriptRun.cancel)
    assert end.reason == "walltime"
    assert "walltime of the job (5 s) was used up" in end.message


def test_the_rendered_walltime_counts_where_the_scheduler_tells_none(run: ScriptRun) -> None:
    script = run.by_hand(app("bash", "-c", ESCAPES), JobSpec(name="probe", walltime="00:01:00"))
    assert end_of(script.change("qc_walltime='60'", "qc_walltime='4'"), ScriptRun.cancel).reason == "walltime"


def test_the_programs_exit_status_is_the_jobs(run: ScriptRun) -> None:
    with run.by_hand(app("bash", "-c", "sleep 1 & wait; exit 7")):
        end = run.ended()
        assert (end["reason"], end["exit_status"]) == ("app-exit", 7)
        assert end["message"].startswith("The program ended after ")
        assert end["message"].endswith(" s with exit status 7 on node " + os.uname().nodename + ".")
        assert run.exit_status() == 7
        assert '"exit_status": 7' in run.output


def test_a_program_that_ends_well_ends_the_session_well(run: ScriptRun) -> None:
    with run.by_hand(app("true")):
        assert (run.ended()["reason"], run.read("ended.json")["exit_status"]) == ("app-exit", 0)  # type: ignore[index]  # ended() saw it
        assert run.exit_status() == 0


def test_a_program_that_crashes_is_told_by_its_signal(run: ScriptRun) -> None:
    with run.by_hand(app("bash", "-c", "kill -SEGV $$")):
        end = run.ended()
        assert end["exit_status"] == 139
        assert "signal 11" in end["message"]
        assert run.exit_status() == 139


def test_a_program_that_is_asked_to_go_may_use_its_display(run: ScriptRun) -> None:
    """It saves its work on TERM: the X server must still be there, and the time for it."""
    work = "trap 'xdpyinfo >saved && sleep 0.5 && echo done >>saved; exit 0' TERM; : >up; while :; do sleep 0.1; done"
    with run.by_hand(app("bash", "-c", work)):
        run.ready()
        eventually((run.home / "up").exists, what="the program")
        run.cancel()
        assert run.ended()["reason"] == "cancelled"
        saved = (run.home / "saved").read_text()
        assert "Xvfb" not in saved or saved
        assert saved.endswith("done\n")


def test_a_second_run_of_the_same_job_is_a_new_generation(run: ScriptRun) -> None:
    run.tagged(app("bash", "-c", "exec sleep 1000"))
    with run:
        first = run.ready()
        key = (run.folder / "client.key").read_bytes()
        run.cancel()
        run.ended()
    run.exit_status()
    (run.folder / "connection.json").write_text("left by a node that died")
    with run:
        second = eventually(lambda: run.read("connection.json"), 30, "the second connection")
        assert not run.text("ended.json")
        assert second["run"] != first["run"]
        assert second["fingerprint"] != first["fingerprint"]
        assert (run.folder / "client.key").read_bytes() != key


def test_an_older_run_writes_nothing_into_a_newer_ones_folder(run: ScriptRun) -> None:
    with run.tagged(app("bash", "-c", "exec sleep 1000")):
        run.ready()
        (run.folder / "run").write_text("a-newer-run\n")
        run.cancel()
        eventually(lambda: not run.living(), what="the end of the older run")
        assert not run.text("ended.json")
        assert run.text("connection.json")


@pytest.fixture
def nobody_elses() -> Iterator[tuple[ScriptRun, ScriptRun, ScriptRun]]:
    """Three jobs with one home, of a user of their own where root can have one.

    Jobs of other tests sweep as well, what belongs to their user, and look into another home for what a display left.
    """
    with tempfile.TemporaryDirectory(prefix="qc-sweep-") as place:
        Path(place).chmod(0o755)
        found = ScriptRun(Path(place)), ScriptRun(Path(place)), ScriptRun(Path(place))
        if os.getuid() == 0:
            user = 100_000 + os.getpid()
            os.chown(found[0].home, user, user)
            for run in found:
                run.user = user
        yield found


def test_a_later_job_sweeps_up_after_a_dead_one_and_after_no_living_one(
    nobody_elses: tuple[ScriptRun, ScriptRun, ScriptRun],
) -> None:
    run, living, later = nobody_elses
    with run.by_hand(app("bash", "-c", STRAYS)), living.by_hand(app("bash", "-c", STRAYS)):
        dead, alive = run.ready(), living.ready()
        eventually(lambda: len(run.look()) > 12 and len(living.look()) > 12, what="both programs")
        runtime = run.runtime
        assert runtime
        (run.home / f".{dead['display']}-fakexinerama").touch()
        assert run.process
        for pid in (run.process.pid, run.pid("supervisor")):
            os.kill(pid, signal.SIGSTOP)  # neither may act on the other's death
        for pid in (run.pid("supervisor"), run.process.pid):
            os.kill(pid, signal.SIGKILL)
        run.exit_status()
        number = dead["display"][1:]
        assert Path(f"/tmp/.X11-unix/X{number}").exists()
        with later.by_hand(app("bash", "-c", "exec sleep 1000")):
            later.ready()
            eventually(lambda: not runtime.exists(), what="the dead run's folder to be swept")
            assert not Path(f"/tmp/.X11-unix/X{number}").exists()
            assert not (run.home / f".{dead['display']}-fakexinerama").exists()
            eventually(lambda: not mentioning(str(runtime)), what="the dead run's processes to be ended")
            assert "removed what was left of a dead run" in later.text("job.log")
        assert living.runtime
        assert living.runtime.is_dir()
        assert Path(f"/tmp/.X11-unix/X{alive['display'][1:]}").exists()
        assert living.pid("xpra") in {process.pid for process in living.look().values() if process.is_running()}


def test_what_a_display_leaves_in_the_home_is_removed(run: ScriptRun) -> None:
    with run.by_hand(app("bash", "-c", "exec sleep 1000")):
        display = run.ready()["display"]
        for name in (f".{display}-fakexinerama", ".fakexinerama"):  # xpra writes the same into both
            (run.home / name).write_text("# of this display\n")
        other = run.home / ".:12345-fakexinerama"
        other.touch()
        run.cancel()
        run.ended()
        assert not (run.home / f".{display}-fakexinerama").exists()
        assert not (run.home / ".fakexinerama").exists()
        assert other.exists()


def test_without_perl_it_still_cleans_up(run: ScriptRun) -> None:
    run.env["PERL5OPT"] = "-Mno_such_module"
    end = end_of(run.by_hand(app("bash", "-c", ESCAPES)), ScriptRun.cancel)
    assert end.reason == "cancelled"


def test_a_program_that_forks_and_goes_lives_on_as_long_as_it_shows_a_window(tmp_path: Path) -> None:
    """As many GUIs do: what was started ends at once, its window stays."""
    line = "setsid xterm -e 'touch shown; read -r x < go' & sleep 1000 >/dev/null & exit 0"
    run = ScriptRun(tmp_path).by_hand(app("bash", "-c", line))
    os.mkfifo(run.home / "go")
    with run:
        run.ready()
        eventually((run.home / "shown").exists, 20, "the program's window")
        eventually(lambda: not alive(run.pid("app")), 10, "the end of what was started")
        time.sleep(11)  # longer than what shows no window is waited for
        assert run.read("ended.json") is None
        (run.home / "go").write_text("\n")
        began = time.monotonic()
        assert run.ended()["reason"] == "app-exit"
        assert time.monotonic() - began < 15
        (run.home / "shown").unlink()
        (run.home / "go").unlink()


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]


def test_what_a_program_leaves_without_a_window_does_not_keep_its_session(tmp_path: Path) -> None:
    with ScriptRun(tmp_path).by_hand(app("bash", "-c", "sleep 1000 & exit 0")) as run:
        run.ready()
        began = time.monotonic()
        assert run.ended()["reason"] == "app-exit"
        assert time.monotonic() - began < 20
