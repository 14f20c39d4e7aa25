"""From another machine: real ssh asks the person at the terminal, for windows and for the terminal itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.cli.command_line import PROMPT, QCONNECT, CommandLine, detach, finish
from tests.cli.xscreen import RED, UserScreen
from tests.transports.ssh.conftest import nodes  # noqa: F401 - a fixture
from tests.transports.ssh.sshd import SshNodes
from tests.transports.ssh.test_ssh_questions import PASSWORDS, SECRET, needs_shadow, shadow  # noqa: F401 - the last is a fixture

ELSEWHERE = 'mount --bind "$1" "$2" && hostname login && shift 2 && exec "$@"'
"""This machine under another name, with the same jobs: whoever runs there has to go over the network."""


@pytest.fixture
def far_cli(tmp_path: Path, nodes: SshNodes, shadow: dict[Path, str]) -> Iterator[CommandLine]:  # noqa: F811 - fixtures
    """A command line whose node wants a password."""
    here = socket.gethostname()
    nodes.add(here, *PASSWORDS, binds=shadow)
    found = CommandLine(tmp_path, transport="ssh", ssh_config=str(nodes.config))
    yield found
    found.close()


def from_elsewhere(cli: CommandLine, *argv: str, **env: str | None) -> pexpect.spawn[str]:
    """`qconnect` on a machine with another name, which sees the same home and the same jobs."""
    jobs = cli.sessions_dir.parent / "local"
    (jobs / "login").mkdir(mode=0o700, exist_ok=True)
    same = [str(jobs / socket.gethostname()), str(jobs / "login")]
    words = ["--uts", "--mount", "sh", "-c", ELSEWHERE, "sh", *same, str(QCONNECT), *argv]
    return pexpect.spawn(
        "unshare",
        words,
        env=cli.environment(**env),
        cwd=str(cli.home),
        dimensions=(30, 100),
        encoding="utf-8",
        codec_errors="replace",
        timeout=40,
    )


@needs_shadow
def test_a_password_at_the_terminal_opens_the_way_for_windows(far_cli: CommandLine) -> None:
    screen = UserScreen()
    try:
        program = f"xterm -geometry 40x10 -bg {RED} -fg {RED} -cr {RED} +sb -bc -e sleep 1000"
        job_id = far_cli.ready("-g", program)
        child = from_elsewhere(far_cli, "--connect-gui", job_id, DISPLAY=screen.display)
        child.expect("password: ")
        child.sendline(SECRET)
        assert screen.settled_red() > 10_000
        assert SECRET not in str(child.before)
        child.sendintr()
        status, text = finish(child)
        assert (status, "goes on" in text) == (0, True), text
    finally:
        screen.close()


@needs_shadow
def test_a_terminal_with_its_windows_asks_for_one_password(far_cli: CommandLine) -> None:
    screen = UserScreen()
    try:
        job_id = far_cli.ready()
        child = from_elsewhere(far_cli, job_id, DISPLAY=screen.display)
        child.expect("password: ")
        child.sendline(SECRET)
        assert child.expect([PROMPT, "password: "]) == 0
        child.sendline(f"xterm -geometry 40x10 -bg {RED} -fg {RED} -cr {RED} +sb -bc -e sleep 1000 &")
        assert screen.settled_red() > 10_000
        status, text = detach(child)
        assert (status, f"qconnect {job_id}" in text) == (0, True), text
        screen.await_red(0)
    finally:
        screen.close()


@needs_shadow
def test_a_terminal_is_attached_by_ssh_which_asks_by_itself(far_cli: CommandLine) -> None:
    job_id = far_cli.ready()
    child = from_elsewhere(far_cli, job_id, DISPLAY=None)
    child.expect("password: ")
    child.sendline(SECRET)
    child.expect_exact(PROMPT)
    child.sendline("echo $QCONNECT-$((40+2))")
    child.expect_exact("tmux-42")
    status, text = detach(child)
    assert (status, f"qconnect {job_id}" in text) == (0, True), text

    wrong = from_elsewhere(far_cli, job_id, DISPLAY=None)
    for _ in range(3):
        wrong.expect("password: ")
        wrong.sendline("wrong")
    status, text = finish(wrong)
    assert status == 4, text
    assert "goes on" in text
