"""The node as sites make it: scratch for each job, tools as modules, other people's programs first in PATH."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.support.deadline import eventually
from tests.support.script_run import SYSTEM_PATH, ScriptRun, app


@pytest.fixture
def run(tmp_path: Path) -> ScriptRun:
    return ScriptRun(tmp_path)


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def written(run: ScriptRun, name: str) -> str:
    """What the program wrote into a file of its home, once it is whole."""
    path = run.home / name
    return eventually(lambda: path.exists() and path.read_text().endswith("\n") and path.read_text(), what=name)


SHOW_TMPDIR = app("bash", "-c", 'echo "$TMPDIR" >tmpdir; exec sleep 1000')


def test_the_jobs_own_scratch_is_the_programs_tmpdir(run: ScriptRun, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch of job 1"
    scratch.mkdir()
    run.env["TMPDIR"] = str(scratch)
    with run.by_hand(SHOW_TMPDIR):
        run.ready()
        assert written(run, "tmpdir") == f"{scratch}\n"
        run.cancel()
        run.ended()
    assert scratch.is_dir()  # the batch system's to remove


@pytest.mark.parametrize("tmpdir", ["/nope", "/tmp", "/etc/passwd", "relative", ""])
def test_a_tmpdir_that_is_not_the_jobs_own_gives_way_to_a_private_one(run: ScriptRun, tmpdir: str) -> None:
    run.env["TMPDIR"] = tmpdir
    with run.by_hand(SHOW_TMPDIR):
        run.ready()
        assert written(run, "tmpdir") == f"{run.runtime}/tmp\n"


def test_a_desktop_gets_the_systems_bus_when_condas_is_first_in_path(run: ScriptRun, tmp_path: Path) -> None:
    for name in ("dbus-run-session", "dbus-daemon", "dbus-launch"):
        executable(tmp_path / "conda/bin" / name, "#!/bin/sh\necho 'Failed to connect to socket' >&2\nexit 127\n")
    run.env["PATH"] = f"{tmp_path}/conda/bin:{SYSTEM_PATH}"
    show = 'echo "$DBUS_SESSION_BUS_ADDRESS" >bus; echo "$PATH" >path; exec sleep 1000'
    with run.by_hand(app("bash", "-c", show, kind="desktop")):
        run.ready()
        assert written(run, "bus").startswith("unix:")
        assert written(run, "path") == run.env["PATH"] + "\n"


def test_what_a_killed_program_left_in_tmp_is_removed(run: ScriptRun) -> None:
    """The socket of a session manager is named by its pid; a folder of pulseaudio may belong to somebody else."""
    manager = (
        "import os, socket, time\nos.makedirs('/tmp/.ICE-unix', exist_ok=True)\n"
        "socket.socket(socket.AF_UNIX).bind(path := f'/tmp/.ICE-unix/{os.getpid()}')\n"
        "print(path, file=open('ice', 'w'), flush=True)\ntime.sleep(1000)"
    )
    folders = [Path(f"/tmp/pulse-{run.job}{letter}") for letter in "abc"]
    older, empty, used = folders
    older.mkdir()
    try:
        with run.by_hand(app("/usr/bin/python3", "-c", manager)):
            run.ready()
            socket = Path(written(run, "ice").strip())
            assert stat.S_ISSOCK(socket.stat().st_mode)
            empty.mkdir()
            used.mkdir()
            (used / "native").touch()
            run.cancel()
            run.ended()
            eventually(lambda: not socket.exists(), what="the session manager's socket to be gone")
            assert [folder.exists() for folder in folders] == [True, False, True]
    finally:
        for path in (used / "native", used, older):
            path.unlink() if path.is_file() else path.rmdir()
        assert not os.path.lexists(empty)
