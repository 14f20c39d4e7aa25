"""Terminal sessions on real tmux and xpra: the terminal is what counts, its display is beside it."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from qconnect_web.site import CLIENT
from qconnect_web.values.app import App
from qconnect_web.values.session import Connection
from tests.support.deadline import eventually
from tests.support.script_run import ScriptRun, app

ENDS_WITHIN = 5.0
"""Seconds after the end of tmux by which the job has ended, as in qconnect 1.8.1."""


def terminal(*command: str, setup: str = "") -> App:
    return app(*(command or ("bash", "--norc")), kind="terminal", requires=("tmux",), setup=setup)


@pytest.fixture
def run(tmp_path: Path) -> ScriptRun:
    found = ScriptRun(tmp_path).tagged(terminal(), bind="socket")
    found.env["HISTFILE"] = "/dev/null"
    return found


def tmux(socket: str, *argv: str) -> str:
    """What a tmux command on the session's own server prints."""
    done = subprocess.run(["tmux", "-S", socket, *argv], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


def shell_says(socket: str, line: str, wanted: str) -> str:
    """Types a line; returns the pane as soon as the wanted text stands in it."""
    eventually(lambda: "no server" not in tmux(socket, "list-sessions"), 10, "tmux")
    tmux(socket, "send-keys", "-l", line)
    tmux(socket, "send-keys", "Enter")
    return eventually(lambda: wanted in (seen := tmux(socket, "capture-pane", "-pJ")) and seen, 10, wanted)


def end_terminal(run: ScriptRun, connection: dict[str, Any]) -> float:
    """Ends tmux; returns the seconds until the job has ended, and no process of it is left."""
    tmux(connection["terminal"], "kill-server")
    began = time.monotonic()
    run.exit_status()
    return time.monotonic() - began


def test_a_terminal_has_its_display_and_says_so(run: ScriptRun) -> None:
    with run:
        found = run.ready()
        assert Connection.from_json(found).terminal == found["terminal"]
        socket = found["terminal"]
        eventually(lambda: "windows" in tmux(socket, "list-sessions"), 10, "tmux")
        name = tmux(socket, "list-sessions", "-F", "#{session_name}").strip()
        assert name == run.job.removesuffix(".local")  # Q22
        assert Path(socket).parent.stat().st_mode & 0o777 == 0o700
        said = shell_says(socket, 'echo "<$QCONNECT $DISPLAY>"', f"<tmux {found['display']}>")  # Q21, Q27
        assert "command not found" not in said
        shell_says(socket, "xdpyinfo >/dev/null && echo X-$((40+2))", "X-42")
        assert end_terminal(run, found) < ENDS_WITHIN
        assert run.ended()["reason"] == "app-exit"
        assert run.leftovers(found["display"], run.runtime) == []


@pytest.mark.parametrize("shell", [("bash", "-l"), ("sh",)], ids=["login", "plain"])
def test_the_servers_own_command_is_at_hand_whatever_path_says(tmp_path: Path, shell: tuple[str, ...]) -> None:
    """From an odd place; a login shell's files set PATH anew, and modules of Python's names lie in the home."""
    run = ScriptRun(tmp_path)
    what = terminal(*shell)
    place = tmp_path / "an 'odd' place"
    (place / "qconnect_web/cli").mkdir(parents=True)
    (place / "qconnect_web/__init__.py").touch()
    told = "import os, sys\ndef main():\n    print(f'<{len(sys.argv)}:{sys.argv[-1]}>')\n    return 7\n"
    (place / "qconnect_web/cli/__init__.py").write_text(told, encoding="utf-8")
    (run.home / "os.py").write_text("raise SystemExit('a stranger')\n", encoding="utf-8")
    (run.home / ".bash_profile").write_text("PATH=/usr/bin:/bin\n", encoding="utf-8")
    client = ("/usr/bin/python3", "-c", CLIENT, str(place))  # which knows of no other installation
    with run.tagged(what, bind="socket", client=client):  # type: ignore[arg-type]  # not all that goes on is a port
        socket = run.ready()["terminal"]
        shell_says(socket, "qconnect 'a b'; echo rc=$?", "<2:a b>\nrc=7")


def test_the_job_ends_soon_after_the_shell_is_left(run: ScriptRun) -> None:
    with run:
        found = run.ready()
        eventually(lambda: "windows" in tmux(found["terminal"], "list-sessions"), 10, "tmux")
        tmux(found["terminal"], "send-keys", "exit", "Enter")
        began = time.monotonic()
        assert run.exit_status() == 0
        assert time.monotonic() - began < ENDS_WITHIN


def test_two_terminals_of_one_user_on_one_node_are_strangers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = ScriptRun(tmp_path / "a").tagged(terminal(), bind="socket")
    two = ScriptRun(tmp_path / "b").tagged(terminal(), bind="socket")
    with one, two:
        first, second = one.ready(), two.ready()
        eventually(lambda: "windows" in tmux(second["terminal"], "list-sessions"), 10, "tmux")
        names = [tmux(found["terminal"], "list-sessions", "-F", "#{session_name}").split() for found in (first, second)]
        assert [len(found) for found in names] == [1, 1]
        end_terminal(one, first)
        shell_says(second["terminal"], "echo alive-$((40+2))", "alive-42")


def test_a_terminal_opens_where_no_display_can_be_had(run: ScriptRun, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in Path("/usr/bin").iterdir():
        if tool.name != "xpra":
            (tools / tool.name).symlink_to(tool)
    run.env["PATH"] = str(tools)
    run.env["DISPLAY"] = ":99"  # of whoever submitted: not the session's
    with run.change("qc_path=/usr/local/bin:/usr/bin:/bin", f"qc_path={tools}"):
        found = run.ready()
        assert (found["display"], found["port"], found["socket"]) == ("", None, None)
        assert Connection.from_json(found).display == ""
        shell_says(found["terminal"], 'echo "<$QCONNECT$DISPLAY>"', "<tmux>")
        assert "xpra is not installed" in run.text("job.log")


def test_a_display_that_dies_leaves_the_terminal_and_comes_back_when_asked(run: ScriptRun) -> None:
    with run:
        found = run.ready()
        os.kill(run.pid("xpra"), 9)
        eventually(lambda: not (run.read("connection.json") or found)["display"], 10, "the end of the display")
        shell_says(found["terminal"], "echo alive-$((40+2))", "alive-42")
        assert run.runtime
        with (run.runtime / "events").open("w") as events:
            events.write("display 0\n")
        again = eventually(lambda: (now := run.read("connection.json") or {}).get("display") and now, 20, "a display")
        assert again["terminal"] == found["terminal"]
        shell_says(found["terminal"], f"DISPLAY={again['display']} xdpyinfo >/dev/null && echo X-$((40+2))", "X-42")
        tmux(found["terminal"], "new-window", "-n", "second", "bash", "--norc")
        shell_says(found["terminal"], 'echo "<$DISPLAY>"', f"<{again['display']}>")
        assert end_terminal(run, found) < ENDS_WITHIN


def test_what_a_users_own_configuration_may_not_do(run: ScriptRun) -> None:
    (run.home / ".tmux.conf").write_text(
        "set -g destroy-unattached on\nset -s exit-unattached on\nset -g exit-empty off\nset -g @mine yes\n"
    )
    with run:
        found = run.ready()
        shell_says(found["terminal"], "echo alive-$((40+2))", "alive-42")
        assert "yes" in tmux(found["terminal"], "show-options", "-g", "@mine")  # the file was read
        assert "DISPLAY" not in tmux(found["terminal"], "show-options", "-g", "update-environment")
        tmux(found["terminal"], "send-keys", "exit", "Enter")
        began = time.monotonic()
        assert run.exit_status() == 0
        assert time.monotonic() - began < ENDS_WITHIN
        (run.home / ".tmux.conf").unlink()


def test_what_ends_the_job_while_the_display_opens_is_not_lost(tmp_path: Path) -> None:
    run = ScriptRun(tmp_path).tagged(terminal(setup="sleep 0.3; false"), bind="socket")
    with run:
        assert run.ended()["reason"] == "setup-failed"
        assert run.exit_status() != 0


def test_without_tmux_the_session_says_so(tmp_path: Path) -> None:
    run = ScriptRun(tmp_path).tagged(app("bash", kind="terminal", requires=("tmux-of-no-node",)), bind="socket")
    with run:
        end = run.ended()
        assert end["reason"] == "app-missing"
        assert "`tmux-of-no-node`" in end["message"]
