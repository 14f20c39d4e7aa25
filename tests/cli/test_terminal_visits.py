"""Terminal sessions as their users live them: come, leave, come back, end; on real tmux in a pseudo-terminal."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.cli.command_line import PROMPT, SMALL, CommandLine, detach, finish, in_shell, plain
from tests.support.deadline import eventually

ALTERNATE_SCREEN = "\x1b[?1049h"
"""What a program sends that takes the whole terminal."""


@pytest.fixture(scope="module")
def terminal(busy_cli: CommandLine) -> str:
    """A terminal session that is READY; who uses it leaves it so."""
    return busy_cli.ready()


def attached(cli: CommandLine, job_id: str, **options: Any) -> pexpect.spawn[str]:
    """Attached to a session, with nothing on its screen of what others did in it."""
    child = cli.spawn(job_id, **options)
    child.expect_exact(PROMPT)
    child.sendline("clear; echo $((40+2))-cleared")
    child.expect_exact("42-cleared")
    return child


def test_a_terminal_is_started_left_and_found_again(cli: CommandLine) -> None:
    child = cli.spawn(*SMALL)
    child.logfile_read = heard = io.StringIO()
    child.expect(r"Job int_tmux created with job id (\S+)")
    job_id = child.match[1]  # type: ignore[index]  # expect has matched
    in_shell(child, 'echo "<$QCONNECT>$DISPLAY<"', r"<tmux>:\d+<")
    status, text = detach(child)
    assert (status, f"Come back with: qconnect {job_id}" in text) == (0, True)
    left_for_tmux = heard.getvalue().partition(ALTERNATE_SCREEN)[0].rpartition("\r")[2]
    assert plain(left_for_tmux) == "", "a clean line, and not how far the waiting was"
    assert cli.state(job_id) == "READY"

    again = cli.spawn()  # no second job: the first one is found
    again.expect_exact(f"Connecting to session {job_id}")
    again.expect("<tmux>:")
    began = time.time()
    again.sendline("exit")
    status, text = finish(again)
    assert (status, "has ended" in text) == (0, True)
    cli.await_state(job_id, "ENDED")
    assert cli.written(job_id, "ended.json")[1]["time"] - began < 5  # by the job's own clock
    assert cli.submissions() == 1


def test_create_starts_another_one(busy_cli: CommandLine, terminal: str) -> None:
    child = busy_cli.spawn("--create", *SMALL)
    child.expect(r"created with job id (\S+)")
    other = str(child.match[1])  # type: ignore[index]  # expect has matched
    assert other != terminal
    in_shell(child, "echo both-$((40+2))", "both-42")
    detach(child)
    assert [busy_cli.state(job_id) for job_id in (terminal, other)] == ["READY", "READY"]
    assert busy_cli.run("--stop", other).returncode == 0


def test_after_waiting_and_leaving_nothing_more_is_submitted(tmp_path: Path) -> None:
    cli = CommandLine(tmp_path, local_max_running=1)
    try:
        first = cli.start("--app", "xterm")
        waiting = cli.start()
        child = cli.spawn()
        child.expect_exact(f"Connecting to session {waiting}")  # the terminal, though it waits and the other one runs
        child.expect("safely press Ctrl-C")
        assert cli.run("--stop", first).returncode == 0
        in_shell(child, "echo here-$((40+2))", "here-42")
        assert detach(child)[0] == 0
        assert cli.submissions() == 2
    finally:
        cli.close()


def test_a_job_id_is_taken_in_both_ways(busy_cli: CommandLine, terminal: str) -> None:
    for argv in ((terminal,), ("-j", terminal), ("--job_id", terminal.partition(".")[0])):
        child = busy_cli.spawn(*argv)
        child.expect_exact(PROMPT)
        assert detach(child)[0] == 0
    done = busy_cli.run("-j", terminal, "4711")
    assert (done.returncode, "one job id" in done.stderr) == (1, True)


def test_a_job_that_is_not_there_is_told_with_those_that_are(full_cli: CommandLine) -> None:
    done = full_cli.run("4711")
    assert done.returncode == 1
    assert "There is no session 4711" in done.stderr
    job_id = full_cli.start()
    done = full_cli.run("4711")
    assert done.returncode == 1
    assert job_id in done.stderr


def test_tmux_in_tmux_is_refused_with_advice(busy_cli: CommandLine, terminal: str) -> None:
    submitted = busy_cli.submissions()
    child = busy_cli.spawn("--create", TMUX="/tmp/tmux-0/default,1,0")
    status, text = finish(child)
    assert status == 1
    assert "inside tmux already" in text
    assert "Detach" in text
    assert busy_cli.submissions() == submitted
    status, text = finish(busy_cli.spawn(terminal, TMUX="/tmp/tmux-0/default,1,0"))
    assert (status, "inside tmux already" in text) == (1, True)
    assert busy_cli.run("-l", TMUX="/tmp/tmux-0/default,1,0").returncode == 0


def test_inside_a_session_its_display_is_shown_and_made(busy_cli: CommandLine, terminal: str) -> None:
    child = attached(busy_cli, terminal, size=(50, 120))
    in_shell(child, "qconnect", r"export DISPLAY=:\d+")
    child.expect_exact(f"qconnect --connect-gui {terminal}")
    in_shell(
        child, "qconnect -h | tr -s ' \\n' ' ' | grep -o 'inside session [0-9.a-z]*'", f"inside session {terminal}"
    )
    in_shell(child, f"qconnect --connect-gui {terminal}; echo rc=$?", "rc=1")
    in_shell(child, 'unset DISPLAY; eval "$(qconnect 2>/dev/null)"; xdpyinfo >/dev/null && echo X-$((40+2))', "X-42")
    child.close(force=True)


def test_a_display_that_was_lost_is_opened_again_by_asking_inside(busy_cli: CommandLine, terminal: str) -> None:
    runtime = Path(busy_cli.connection(terminal)["terminal"]).parent
    pid = (runtime / "xpra.pid").read_text().partition(":")[0]
    subprocess.run(["kill", "-KILL", pid], check=True)
    eventually(lambda: not busy_cli.connection(terminal)["display"], 10, "the end of the display")
    child = attached(busy_cli, terminal, size=(50, 120))
    in_shell(child, "qconnect", "no display yet; opening one")
    child.expect(r"export DISPLAY=:\d+")
    child.expect_exact(PROMPT)
    assert busy_cli.connection(terminal)["display"]
    detach(child)


def test_the_wrong_end_of_ssh_is_told_from_the_end_of_tmux(busy_cli: CommandLine, terminal: str) -> None:
    child = attached(busy_cli, terminal)
    # the wire breaks: what carries tmux here dies, tmux itself goes on
    own = f"{busy_cli.connection(terminal)['terminal']} attach-session"
    for pid, line in busy_cli.server.leftovers().items():
        if own in line and "tmux" in line.split()[0]:
            os.kill(pid, signal.SIGKILL)
    status, text = finish(child)
    assert status in (4, 255), text
    assert "goes on" in text
    assert busy_cli.state(terminal) == "READY"


def waiting(cli: CommandLine) -> tuple[pexpect.spawn[str], str]:
    """A terminal that waits for its session, and the session's job id."""
    child = cli.spawn("-c", *SMALL)
    child.expect(r"created with job id (\S+)")
    job_id = str(child.match[1])  # type: ignore[index]  # expect has matched
    child.expect("QUEUED: Waiting in the queue")
    return child, job_id


def test_ctrl_c_while_waiting_leaves_the_job(full_cli: CommandLine) -> None:
    child, job_id = waiting(full_cli)
    child.expect(r"\(\d s\)")
    child.sendintr()
    status, text = finish(child)
    assert status == 130
    assert f"Come back with: qconnect {job_id}" in text
    assert full_cli.state(job_id) == "QUEUED"


def test_a_job_that_dies_while_somebody_waits(full_cli: CommandLine) -> None:
    child, job_id = waiting(full_cli)
    assert full_cli.run("--stop", job_id).returncode == 0
    status, text = finish(child)
    assert status == 3, text


@pytest.fixture
def broken_cli(cli: CommandLine) -> CommandLine:
    """A command line with an app, `broken`, whose jobs die at their start."""
    (cli.home / ".config/qconnect/apps").mkdir(parents=True)
    (cli.home / ".config/qconnect/apps/broken.yaml").write_text(
        "title: Broken\nkind: terminal\ncommand: [bash]\nsetup: exit 5\n"
    )
    return cli


def test_a_job_that_dies_at_its_start_says_why(broken_cli: CommandLine) -> None:
    child = broken_cli.spawn("--app", "broken", *SMALL)
    status, text = finish(child)
    assert status == 3
    assert "prepare this program failed" in plain(text)
    assert "qconnect --log" in text


def test_a_program_that_fails_at_once_is_not_called_ready(broken_cli: CommandLine) -> None:
    done = broken_cli.run("-g", "bash -c 'exit 5'", "--wait", *SMALL)
    assert (done.returncode, "READY" in done.stdout) == (3, False), done.stdout + done.stderr
    assert "with exit status 5" in done.stderr


def test_a_session_that_is_over_is_not_connected_to(broken_cli: CommandLine) -> None:
    assert broken_cli.run("--app", "broken", "--wait", *SMALL).returncode == 3
    (session,) = broken_cli.sessions()
    status, text = finish(broken_cli.spawn(session["id"]))
    assert (status, "has ended" in text) == (3, True)
