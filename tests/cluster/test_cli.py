"""The command line on a cluster: from the login node, by real ssh, to real tmux and xpra on compute nodes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cli.command_line import SMALL, detach, finish
from tests.cluster.batch import Torque
from tests.cluster.command_line import ClusterCommandLine
from tests.support.deadline import eventually

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def window(cli: ClusterCommandLine) -> dict[str, Any]:
    """A session with a window that is READY."""
    return cli.ready("--app", "xterm", "--queue", "batch")


def test_a_terminal_on_a_node_is_started_left_and_found_again(cli: ClusterCommandLine) -> None:
    before = cli.server.leftovers()
    child = cli.spawn(*SMALL)
    child.expect(r"Job int_tmux created with job id (\S+)")
    job_id = str(child.match[1])  # type: ignore[index]  # expect has matched
    child.expect(r"alice@qc-node\d+")
    child.sendline('echo "<$QCONNECT>$(hostname)<$DISPLAY"')
    child.expect(r"<tmux>(qc-node\d+)<:\d+")
    node = str(child.match[1])  # type: ignore[index]  # expect has matched
    status, text = detach(child)
    assert (status, f"Come back with: qconnect {job_id}" in text) == (0, True), text
    again = cli.spawn()
    again.expect_exact(f"Connecting to session {job_id}")
    again.expect_exact(f"<tmux>{node}<")

    # the wire breaks: ssh's end is told from tmux's
    (ssh,) = [pid for pid, line in cli.cluster.login.processes("alice").items() if line.startswith("ssh -t")]
    cli.cluster.login.run(["kill", "-KILL", str(ssh)], "alice")
    status, text = finish(again)
    assert status == 4, text
    assert "goes on" in text

    last = cli.spawn(job_id)
    last.expect_exact(f"<tmux>{node}<")
    last.sendline("exit")
    status, text = finish(last)
    assert (status, "has ended" in text) == (0, True), text
    eventually(lambda: cli.server.leftovers().keys() <= before.keys(), 10, "the end of all its processes")
    assert [session["kind"] for session in cli.sessions()].count("terminal") == 1


def test_the_list_names_the_node(cli: ClusterCommandLine, window: dict[str, Any]) -> None:
    line = next(line for line in cli.run("-l").stdout.splitlines() if line.startswith(window["id"]))
    assert re.search(r"\bqc-node0[12]\b", line)
    assert "batch" in line


def test_with_no_terminal_another_session_that_runs_will_do(cli: ClusterCommandLine, window: dict[str, Any]) -> None:
    done = cli.run()
    assert done.stdout.split()[:2] == [window["id"], "READY"]
    assert "You have no terminal session" in done.stderr


def test_the_list_costs_one_question(cli: ClusterCommandLine, window: dict[str, Any]) -> None:
    """The batch system's commands are counted where they are called."""
    home = cli.server.home
    bin_folder = home / "bin"
    bin_folder.mkdir(exist_ok=True)
    real = Torque.bin if cli.torque else "/usr/bin"
    counted = f"[[ $1 == --version ]] || echo question >>{cli.server.there}/asked"  # a version needs no server
    for name in ("qstat",) if cli.torque else ("squeue", "scontrol", "sacct"):
        wrapper = bin_folder / name
        wrapper.write_text(f'#!/bin/bash\n{counted}\nexec {real}/{name} "$@"\n')
        wrapper.chmod(0o755)
    answer = home / "sessions/.answer.json"
    before = cli.server.path
    cli.server.path = (str(cli.server.there / "bin"), *before)
    try:
        answer.unlink()  # else another's answer would do for a while
        assert cli.run("-l").returncode == 0
        assert (home / "asked").read_text().split() == ["question"]
    finally:
        cli.server.path = before


def test_a_refusal_is_told_in_the_batch_systems_words(cli: ClusterCommandLine) -> None:
    before = len(cli.sessions())
    done = cli.run("--app", "xterm", "-c", "--queue", "nosuch", *SMALL)
    assert done.returncode == 1
    assert re.search("nosuch|[Pp]artition|[Qq]ueue", done.stderr)
    assert "Traceback" not in done.stderr
    assert len(cli.sessions()) == before


def test_without_a_display_the_address_and_the_native_command_are_printed(
    cli: ClusterCommandLine, window: dict[str, Any]
) -> None:
    status, text = finish(cli.spawn(window["id"]))
    assert status == 0
    flat = " ".join(text.split())
    assert f"/qconnect/{window['id']}/" in flat
    assert re.search(r"xpra attach ssl://qc-node0[12]:\d+/", flat)
    assert "--ssl-server-hostname=qconnect-server" in flat
