"""`qconnect --doctor --probe`: one real job, and what it finds of the node that it runs on, good and bad."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from qconnect_web.cli.exits import Exit
from qconnect_web.config import QConnect
from qconnect_web.doctor import node, probe
from qconnect_web.doctor.findings import Finding, Level
from qconnect_web.doctor.probe import Probe
from qconnect_web.site import build_sessions
from tests.cli.command_line import QCONNECT, CommandLine, finish
from tests.support.deadline import eventually

Found = dict[str, dict[str, str]]
SEEN = ("submission", "start", "node's clock", "reach", "node", "node's xpra")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CommandLine]:
    cli = CommandLine(tmp_path, scheduler="local")
    yield cli
    cli.close()


def probed(cli: CommandLine, *argv: str, **env: str | None) -> tuple[int, Found]:
    """The exit status, and the probe's findings."""
    done = cli.run("--doctor", "--probe", "--json", *argv, **env)
    assert "Traceback" not in done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)["findings"]
    begins = next(index for index, finding in enumerate(found) if finding["check"] == "submission")
    for finding in found:
        assert finding["level"] == "ok" or finding["advice"], finding
    return done.returncode, {finding["check"]: finding for finding in found[begins:]}


def left(cli: CommandLine) -> list[Any]:
    """Sessions that are still known, also those that have ended."""
    found: list[Any] = json.loads(cli.run("--all", "--json").stdout)
    return found


def test_a_good_node_is_seen_from_inside_and_nothing_is_left(site: CommandLine) -> None:
    status, found = probed(site, DISPLAY=None)
    assert status == Exit.DONE
    assert {name: finding["level"] for name, finding in found.items()} == dict.fromkeys(
        (*SEEN, "node's terminals", "node's VNC desktops", "node's fonts", "node's OpenGL", "end"),
        "ok",
    )
    assert "unix socket" in found["reach"]["found"]
    assert os.uname().nodename in found["node"]["found"]
    assert found["node's terminals"]["found"].startswith("tmux ")
    assert left(site) == []
    refused = site.run("--probe")
    assert (refused.returncode, "qconnect --doctor --probe" in refused.stderr) == (Exit.REFUSED, True)


@pytest.mark.parametrize(
    ("settings", "check", "level", "words", "remedy"),
    [
        ({"node_setup": "PATH=$HOME/old:$PATH"}, "start", "problem", "xpra", "sessions_dir"),
        ({"node_setup": "exit 3"}, "start", "problem", "(node_setup) failed", "user's session"),
        ({"client_dirs": ["/nowhere"]}, "node's xpra", "warning", "is not here", "c.QConnect.client_dirs"),
    ],
)
def test_what_is_wrong_with_a_node_is_named(
    tmp_path: Path, settings: dict[str, Any], check: str, level: str, words: str, remedy: str
) -> None:
    cli = CommandLine(tmp_path, scheduler="local", **settings)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/xpra").write_text("#!/bin/sh\necho 'xpra v0.17.6'\n")
    (tmp_path / "old/xpra").chmod(0o755)
    try:
        _, found = probed(cli)
        assert (found[check]["level"], words in found[check]["found"]) == (level, True), found
        assert remedy in found[check]["advice"]
        assert left(cli) == []
    finally:
        cli.close()


def test_a_node_without_the_tools_of_its_apps_is_named(site: CommandLine, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for program in Path("/usr/bin").iterdir():
        if program.name not in ("tmux", "fc-list", "Xtigervnc", "Xvnc"):
            (bare / program.name).symlink_to(program)
    status, found = probed(site, PATH=f"{QCONNECT.parent}:{bare}")
    assert status == Exit.DONE
    assert "not there" in found["node's terminals"]["found"]
    assert "install its server" in found["node's VNC desktops"]["advice"]
    assert "no tool that would tell" in found["node's fonts"]["found"]
    assert found["node's OpenGL"]["level"] == "ok"


def test_a_job_that_waits_for_long_is_no_fault_of_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(probe, "PATIENCE_S", 0.0)
    settings = QConnect(config=Config({"QConnect": {"scheduler": "local", "sessions_dir": str(tmp_path / "sessions")}}))
    told: list[str] = []

    async def run() -> list[Finding]:
        manager = build_sessions(settings)
        await manager.open()
        try:
            return await Probe(settings, manager, told.append).run({})
        finally:
            await manager.close()

    found = {finding.check: finding for finding in asyncio.run(run())}
    assert (found["start"].level, "--queue NAME" in found["start"].advice) == (Level.WARNING, True)
    assert found["end"].level is Level.OK
    assert told[-1] == "Ending the job"


def test_an_interrupted_probe_leaves_no_job(site: CommandLine) -> None:
    child = site.spawn("--doctor", "--probe")
    child.expect("STARTING|QUEUED")
    child.kill(signal.SIGINT)
    status, _ = finish(child)
    assert status == Exit.INTERRUPTED
    eventually(lambda: all(session["state"] in ("ENDED", "FAILED") for session in left(site)), 20, "the job's end")


def test_a_refused_job_is_told_in_the_batch_systems_words(site: CommandLine) -> None:
    status, found = probed(site, "--queue", "nowhere")
    assert status == Exit.UNHEALTHY
    assert (found["submission"]["level"], "nowhere" in found["submission"]["found"]) == ("problem", True)
    assert left(site) == []


def test_a_report_is_judged_by_what_is_missing() -> None:
    judged = {finding.check: finding for finding in node._offered({"tmux": "", "vnc": "/usr/bin/Xvnc", "fonts": "0"})}
    assert {name: finding.level for name, finding in judged.items()} == {
        "node's terminals": Level.WARNING,
        "node's VNC desktops": Level.OK,
        "node's fonts": Level.WARNING,
        "node's OpenGL": Level.WARNING,
    }
    assert probe.APP.command[2].startswith("# shellcheck")
