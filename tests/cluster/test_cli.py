"""The command line on a cluster: from the login node, by real ssh, to real tmux and xpra on compute nodes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.cli.desk import QCONNECT, detach, finish
from tests.cluster.batch import Torque
from tests.cluster.server import ClusterServer, server_on
from tests.cluster.world import Cluster
from tests.deadline import eventually

pytestmark = pytest.mark.cluster
SMALL = ("-m", "512MB", "--walltime", "00:20:00")


class ClusterDesk:
    """Alice at a terminal of the login node."""

    def __init__(self, cluster: Cluster, server: ClusterServer) -> None:
        self.cluster, self.server = cluster, server
        self._spawned: list[pexpect.spawn[str]] = []
        server.write_config()

    def _entered(self, argv: tuple[str, ...], **env: str) -> list[str]:
        world = {**self.server.environment(), "TERM": "xterm", **env}
        return self.cluster.login.entered([str(QCONNECT), *argv], "alice", world)

    def run(self, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._entered(argv, **env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def spawn(self, *argv: str) -> pexpect.spawn[str]:
        program, *rest = self._entered(argv)
        child = pexpect.spawn(program, rest, dimensions=(30, 100), encoding="utf-8", codec_errors="replace", timeout=60)
        self._spawned.append(child)
        return child

    def ready(self, *argv: str) -> dict[str, Any]:
        done = self.run(*argv, *SMALL, "-c", "--json", "--wait")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout)[0])

    def ids(self) -> list[str]:
        """All sessions, also those that ended."""
        return [session["id"] for session in json.loads(self.run("-a", "--json").stdout)]

    def close(self) -> None:
        for session in json.loads(self.run("--json", "-l").stdout or "[]"):
            self.run("--stop", session["id"])
        for child in self._spawned:
            child.close(force=True)
        eventually(lambda: not self.server.leftovers(), 30, "the end of all processes")


@pytest.fixture(params=["slurm", "torque"])
def desk(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[ClusterDesk]:
    """On each batch system: which one it is, qconnect finds out by itself."""
    if request.param == "torque":
        request.getfixturevalue("torque")
    name = f"desk-{request.param}"
    site = {"transport": "tls", "scheduler": "auto", "sessions_dir": f"/home/alice/{name}/sessions"}
    config = {"QConnect": {**site, "max_questions_per_minute": 120}}
    path = (Torque.bin,) if request.param == "torque" else ()
    found = ClusterDesk(cluster, server_on(cluster, name, config=config, path=path))
    yield found
    found.close()


def test_a_terminal_on_a_node_is_started_left_and_found_again(desk: ClusterDesk) -> None:
    child = desk.spawn(*SMALL)
    child.expect(r"Job int_tmux created with job id (\S+)")
    job_id = str(child.match[1])  # type: ignore[index]  # expect has matched
    child.expect(r"alice@qc-node\d+")
    child.sendline('echo "<$QCONNECT>$(hostname)<$DISPLAY"')
    child.expect(r"<tmux>(qc-node\d+)<:\d+")
    node = str(child.match[1])  # type: ignore[index]  # expect has matched
    status, text = detach(child)
    assert (status, f"Come back with: qconnect {job_id}" in text) == (0, True), text
    again = desk.spawn()
    again.expect_exact(f"Connecting to session {job_id}")
    again.expect_exact(f"<tmux>{node}<")

    # the wire breaks: ssh's end is told from tmux's
    (ssh,) = [pid for pid, line in desk.cluster.login.processes("alice").items() if line.startswith("ssh -t")]
    desk.cluster.login.run(["kill", "-KILL", str(ssh)], "alice")
    status, text = finish(again)
    assert status == 4, text
    assert "goes on" in text

    last = desk.spawn(job_id)
    last.expect_exact(f"<tmux>{node}<")
    last.sendline("exit")
    status, text = finish(last)
    assert (status, "has ended" in text) == (0, True), text
    eventually(lambda: not desk.server.leftovers(), 10, "the end of all processes")
    assert (
        len([session for session in json.loads(desk.run("-a", "--json").stdout) if session["kind"] == "terminal"]) == 1
    )


def test_the_list_names_the_node(desk: ClusterDesk) -> None:
    found = desk.ready("--app", "xterm", "--queue", "batch")
    line = next(line for line in desk.run("-l").stdout.splitlines() if line.startswith(found["id"]))
    assert re.search(r"\bqc-node0[12]\b", line)
    assert "batch" in line


def test_the_list_costs_one_question(desk: ClusterDesk, tmp_path: Path) -> None:
    """The batch system's commands are counted where they are called."""
    desk.ready("--app", "xterm")
    home = desk.server.home
    bin_folder = home / "bin"
    bin_folder.mkdir(exist_ok=True)
    torque = bool(desk.server.path)
    real = Torque.bin if torque else "/usr/bin"
    counted = f"[[ $1 == --version ]] || echo question >>{desk.server.there}/asked"  # a version needs no server
    for name in ("qstat",) if torque else ("squeue", "scontrol", "sacct"):
        wrapper = bin_folder / name
        wrapper.write_text(f'#!/bin/bash\n{counted}\nexec {real}/{name} "$@"\n')
        wrapper.chmod(0o755)
    answer = home / "sessions/.answer.json"
    before = desk.server.path
    desk.server.path = (str(desk.server.there / "bin"), *before)
    try:
        answer.unlink()  # else another's answer would do for a while
        assert desk.run("-l").returncode == 0
        assert (home / "asked").read_text().split() == ["question"]
    finally:
        desk.server.path = before


def test_a_refusal_is_told_in_the_batch_systems_words(desk: ClusterDesk) -> None:
    before = desk.ids()
    done = desk.run("--app", "xterm", "-c", "--queue", "nosuch", *SMALL)
    assert done.returncode == 1
    assert re.search("nosuch|[Pp]artition|[Qq]ueue", done.stderr)
    assert "Traceback" not in done.stderr
    assert desk.ids() == before


def test_without_a_display_the_address_and_the_native_command_are_printed(desk: ClusterDesk) -> None:
    found = desk.ready("--app", "xterm")
    status, text = finish(desk.spawn(found["id"]))
    assert status == 0
    flat = " ".join(text.split())
    assert f"/qconnect/{found['id']}/" in flat
    assert re.search(r"xpra attach ssl://qc-node0[12]:\d+/", flat)
    assert "--ssl-server-hostname=qconnect-server" in flat
