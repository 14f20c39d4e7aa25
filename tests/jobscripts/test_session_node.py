"""The node as sites make it: scratch for each job, tools as modules, other people's programs first in PATH."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest
from traitlets.config import Config

from qconnect_web.config import QConnect
from qconnect_web.job_script import quote
from qconnect_web.site import build_sessions
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


def module(run: ScriptRun, tmp_path: Path, needs: str) -> Path:
    """xpra and Xvfb out of the system's folders, in one of the site's that also holds what `needs` names."""
    tools, brought = tmp_path / "system", tmp_path / "module/bin"
    tools.mkdir()
    for tool in Path("/usr/bin").iterdir():
        if tool.name not in ("xpra", "Xvfb"):
            (tools / tool.name).symlink_to(tool)
    for name in ("xpra", "Xvfb"):
        checks = f'[ "$LD_LIBRARY_PATH:$PYTHONPATH" = "{needs}" ] || exit 9\n'
        executable(brought / name, f'#!/bin/sh\n{checks}exec /usr/bin/{name} "$@"\n')
    run.env["PATH"] = str(tools)
    run.change("qc_path=/usr/local/bin:/usr/bin:/bin", f"qc_path={tools}")
    return brought


def test_xpra_and_xvfb_may_be_modules_of_the_job(run: ScriptRun, tmp_path: Path) -> None:
    brought = module(run.by_hand(app()), tmp_path, "/site/lib:/site/python")
    run.env |= {"LD_LIBRARY_PATH": "/site/lib", "PYTHONPATH": "/site/python"}
    run.env["PATH"] = f"{brought}:{run.env['PATH']}"
    with run:
        assert run.ready()["xpra"] == "3.1.3"


def test_the_sites_commands_bring_xpra_and_xvfb_and_the_program_knows_nothing_of_them(
    run: ScriptRun, tmp_path: Path
) -> None:
    show = 'echo "$PATH $LD_LIBRARY_PATH $PYTHONPATH" >seen; exec sleep 1000'
    brought = module(run.by_hand(app("bash", "-c", show)), tmp_path, "/site/lib:/site/python")
    run.env |= {"PYTHONPATH": "/mine", "BASH_FUNC_module%%": f"() {{ PATH={brought}:$PATH; }}"}
    setup = "module load xpra; export LD_LIBRARY_PATH=/site/lib PYTHONPATH=/site/python"
    with run.change("qc_node_setup=''", f"qc_node_setup='{setup}'"):
        run.ready()
        assert written(run, "seen") == f"{run.env['PATH']}  /mine\n"


def test_the_job_says_where_it_looked_for_what_is_missing(run: ScriptRun, tmp_path: Path) -> None:
    brought = module(run.by_hand(app()), tmp_path, ":")
    (brought / "Xvfb").unlink()
    run.env["PATH"] = f"{brought}:{run.env['PATH']}"
    with run:
        end = run.ended()
        assert (end["reason"], "`Xvfb`" in end["message"]) == ("tool-missing", True)
        assert f"Xvfb is neither in {tmp_path}/system" in run.text("job.log")
        assert f"nor in {brought}" in run.text("job.log")


@pytest.mark.parametrize("setup", ["module load no-such-thing", "exit 0", "exit 4", "false"])
def test_commands_of_the_site_that_fail_are_told_as_such(run: ScriptRun, setup: str) -> None:
    with run.by_hand(app()).change("qc_node_setup=''", f"qc_node_setup='{setup}'"):
        end = run.ended()
        assert end["reason"] == "setup-failed"
        assert "The site's own commands for its nodes (node_setup) failed" in end["message"]
        if setup.startswith("module"):
            assert "module: command not found" in run.text("job.log")


def test_commands_of_the_site_do_not_delay_the_end_of_a_cancelled_job(run: ScriptRun) -> None:
    with run.by_hand(app()).change("qc_node_setup=''", "qc_node_setup='sleep 1000'"):
        eventually(lambda: run.runtime and (run.runtime / "node.pid").exists(), what="the site's commands")
        run.cancel()
        assert run.ended(10)["reason"] == "cancelled"
        eventually(lambda: not run.living(), what="everything to be gone")


def test_module_is_found_wherever_a_login_shell_finds_it(run: ScriptRun, tmp_path: Path) -> None:
    """The site's own file in /etc/profile.d, as /etc/profile reads it."""
    executable(tmp_path / "soft/sitesoft", "#!/bin/sh\nexit 3\n")
    profile = tmp_path / "profile"
    profile.write_text(f"module() {{ [ $1 = load ] && PATH={tmp_path}/soft:$PATH; }}\nPATH=/reset\n", encoding="utf-8")
    run.by_hand(app("sitesoft", setup="module load sitesoft"))
    with run.change("{lmod,z00_lmod,modules}.sh /etc/profile;", f"{{lmod,z00_lmod,modules}}.sh {profile};"):
        assert run.ended()["exit_status"] == 3


def test_module_is_found_where_bash_env_defines_it(run: ScriptRun, tmp_path: Path) -> None:
    (tmp_path / "env.sh").write_text("module() { export LOADED=$2; }\n", encoding="utf-8")
    run.env["BASH_ENV"] = str(tmp_path / "env.sh")
    with run.by_hand(app("bash", "-c", "[[ $LOADED == thing ]] && exit 3", setup="module load thing")):
        assert run.ended()["exit_status"] == 3


def test_a_node_without_module_is_told_from_a_module_that_is_missing(run: ScriptRun) -> None:
    with run.by_hand(app(setup="set -u\nmodule load thing")):
        end = run.ended()
        assert end["reason"] == "setup-failed"
        assert end["message"].startswith(f"There is no `module` on node {os.uname().nodename}, which the preparation")


def test_conda_first_in_path_breaks_nothing(run: ScriptRun, tmp_path: Path) -> None:
    for name in ("openssl", "python3", "python", "curl", "timeout", "flock", "stat", "xprop", "dbus-daemon"):
        executable(tmp_path / "conda/bin" / name, "#!/bin/sh\nexit 127\n")
    run.env["PATH"] = f"{tmp_path}/conda/bin:{SYSTEM_PATH}"
    with run.by_hand(app("bash", "-c", "exit 6")):
        assert run.ended()["exit_status"] == 6


def test_the_sites_setting_is_in_the_scripts_that_it_submits(tmp_path: Path) -> None:
    settings = {"scheduler": "local", "sessions_dir": str(tmp_path), "node_setup": "module load xpra\n. 'a b'"}
    sessions = build_sessions(QConnect(config=Config(QConnect=settings)))
    script = asyncio.run(sessions.preview("command", {}, ["xterm"]))
    assert f"\n  qc_node_setup={quote(settings['node_setup'])}\n" in script
