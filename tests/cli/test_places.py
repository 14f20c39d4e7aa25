"""It works wherever people have a terminal: narrow, slow, dumb, nameless, without UTF-8, or none at all."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time

import pexpect
import pytest

from qconnect_web.cli.options import parser
from tests.cli.command_line import PROMPT, QCONNECT, CommandLine, detach, finish
from tests.support.deadline import eventually


@pytest.fixture(scope="module")
def named(busy_cli: CommandLine) -> str:
    """A session with a name beyond ASCII."""
    return busy_cli.ready("-n", "Größe 漢字 “x”")


def test_the_table_fits_40_columns(busy_cli: CommandLine, named: str) -> None:
    status, text = finish(busy_cli.spawn("-l", size=(24, 40)))
    lines = [line for line in text.splitlines() if line.strip()]
    assert status == 0
    assert max(map(len, lines)) <= 40
    assert named in text
    assert "READY" in text


def test_colours_only_where_they_are_wanted(busy_cli: CommandLine, named: str) -> None:
    def output(**env: str | None) -> str:
        child = busy_cli.spawn("-l", **env)
        child.expect("READY")
        found = str(child.before) + str(child.after)
        child.close(force=True)
        return found

    assert "\x1b[32m" in output()
    assert "\x1b" not in output(NO_COLOR="1")
    assert "\x1b" not in output(TERM="dumb")
    assert "\x1b" not in output(TERM=None)
    assert "\x1b" not in busy_cli.run("-l").stdout


def test_a_pipe_carries_results_only(busy_cli: CommandLine, named: str) -> None:
    done = busy_cli.run("-l")
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].split()[:3] == ["Job_ID", "Job_Name", "Job_Type"]
    done = busy_cli.run(named)  # nobody to attach: told, not tried
    assert done.returncode == 0
    assert done.stdout.split()[:2] == [named, "READY"]
    piped = ["bash", "-c", f"{QCONNECT} --script | head -1"]  # a reader that has enough
    head = subprocess.run(piped, env=busy_cli.environment(), capture_output=True, text=True)
    assert (head.stdout, head.stderr) == ("#!/bin/bash -p\n", "")


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": None, "LANG": None}, {"PYTHONIOENCODING": "latin-1"}])
def test_a_name_never_breaks_a_terminal_without_utf8(
    busy_cli: CommandLine, named: str, locale: dict[str, str | None]
) -> None:
    done = subprocess.run(
        [str(QCONNECT), "-l"], env=busy_cli.environment(**locale), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert named.encode() in done.stdout
    if locale.get("LC_ALL") == "C":
        assert done.stdout.isascii()
        assert b"Gr??e" in done.stdout


@pytest.mark.parametrize("columns", range(40, 104, 4))
def test_the_help_breaks_no_option_and_no_job_id(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = parser("You are inside session 4711.qc-login, which is shown by `qconnect --connect-gui`.").format_help()
    assert not re.search(r"[\w.]-$", lines, re.M)


def test_help_works_in_any_locale(busy_cli: CommandLine) -> None:
    for locale in ({"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}):
        done = subprocess.run([str(QCONNECT), "-h"], env=busy_cli.environment(**locale), capture_output=True)
        assert done.returncode == 0, done.stderr


def test_a_dumb_terminal_waits_in_lines_and_is_told_that_it_cannot_attach(busy_cli: CommandLine, named: str) -> None:
    status, text = finish(busy_cli.spawn(named, TERM="dumb"))
    assert status == 255
    assert "TERM=vt100 qconnect" in text
    child = busy_cli.spawn("--app", "xterm", "-c", "-m", "512MB", TERM="dumb", DISPLAY=None)
    child.expect("STARTING|READY|QUEUED")
    status, text = finish(child)
    assert status == 0
    assert "\x1b" not in text
    assert "there is no X display here" in text


def test_a_terminal_without_a_name_is_taken_for_a_plain_one(busy_cli: CommandLine, named: str) -> None:
    child = busy_cli.spawn(named, TERM=None)
    child.expect_exact(PROMPT)
    child.sendline("echo $((40+2))-yes")
    child.expect("42-yes")
    assert detach(child)[0] == 0


def test_a_slow_terminal_loses_nothing(busy_cli: CommandLine, named: str) -> None:
    """A pseudo-terminal of which a few bytes are read at a time, as over a bad line."""
    master, slave = os.openpty()
    process = subprocess.Popen(
        [str(QCONNECT), "--app", "xterm", "--script"],
        env=busy_cli.environment(),
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    slow, everything = b"", b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            part = os.read(master, 97)
        except OSError:
            break
        if not part:
            break
        slow += part
        if len(slow) < 5000:
            time.sleep(0.002)  # the line's own pace, not a wait for anything
    os.close(master)
    assert process.wait(20) == 0
    everything = busy_cli.run("--app", "xterm", "--script").stdout.encode()
    mine = [
        line
        for line in slow.replace(b"\r\n", b"\n").splitlines()
        if b"/sessions/" not in line and b"qc_key" not in line
    ]
    theirs = [line for line in everything.splitlines() if b"/sessions/" not in line and b"qc_key" not in line]
    assert mine == theirs


def test_json_is_for_programs(busy_cli: CommandLine, named: str) -> None:
    (found,) = [session for session in json.loads(busy_cli.run("-l", "--json").stdout) if session["id"] == named]
    assert found["kind"] == "terminal"
    assert found["name"] == "Größe 漢字 “x”_int_tmux"
    assert json.loads(busy_cli.run(named, "--json").stdout)[0]["id"] == named
    told = busy_cli.run("-l", "--json", JUPYTER_SERVER_URL="http://hub:8000/user/ann/?x").stdout
    assert f"/user/ann/qconnect/{named}/" in [session["url"] for session in json.loads(told)], "as REST gives it"


def test_the_terminals_size_is_followed(busy_cli: CommandLine, named: str) -> None:
    child = busy_cli.spawn(named, size=(20, 50))
    child.expect_exact(PROMPT)
    child.sendline("stty size")
    child.expect(r"(19|20) 50")
    child.setwinsize(25, 70)

    def followed() -> bool:
        child.sendline("stty size")
        return child.expect([r"(24|25) 70", pexpect.TIMEOUT], timeout=2) == 0

    eventually(followed, 20, "the new size")
    assert detach(child)[0] == 0
