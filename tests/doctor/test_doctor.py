"""`qconnect --doctor`: real faults, each named with what to do about it; none found where there is none."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qconnect_web.cli.exits import Exit
from qconnect_web.doctor import findings
from qconnect_web.doctor.findings import Finding, Level, in_time
from tests.batch.system import BatchSystem
from tests.cli.command_line import QCONNECT, CommandLine, finish
from tests.support.deadline import eventually

SECRET = "hush-hush-4711"


def examined(cli: CommandLine, **env: str | None) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """The exit status, and the findings of each check."""
    done = cli.run("--doctor", "--json", **env)
    assert "Traceback" not in done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    found: dict[str, list[dict[str, str]]] = {}
    for finding in answer["findings"]:
        found.setdefault(finding["check"], []).append(finding)
        assert (finding["level"] == "ok") or finding["advice"], finding
    levels = [finding["level"] for each in found.values() for finding in each]
    assert answer["level"] == next(level for level in ("problem", "warning", "ok") if level in levels)
    assert done.returncode == (Exit.UNHEALTHY if answer["level"] == "problem" else Exit.DONE)
    return done.returncode, found


@pytest.fixture
def torque(tmp_path: Path) -> BatchSystem:
    return BatchSystem(tmp_path / "batch", "torque")


@pytest.fixture
def site(tmp_path: Path, torque: BatchSystem) -> Iterator[tuple[CommandLine, dict[str, str]]]:
    """A command line of a site with TORQUE, and the environment in which its commands are found."""
    cli = CommandLine(tmp_path, scheduler="auto", transport="ssh", ssh_options=[f"ProxyCommand={SECRET}"])
    yield cli, {"PATH": f"{torque.root / 'bin'}:{QCONNECT.parent}:/usr/local/bin:/usr/bin:/bin"}
    cli.close()


def test_nothing_is_wrong_on_a_laptop(cli: CommandLine) -> None:
    status, found = examined(cli, DISPLAY=None)
    assert status == 0
    assert {finding["level"] for each in found.values() for finding in each} == {"ok"}
    assert found["batch system"][0]["found"].startswith("local. The site's settings say so.")
    assert "local (the default)" in found["batch answers"][0]["found"]
    assert str(cli.sessions_dir) in found["sessions folder"][0]["found"]
    assert "xpra 3." in found["HTML5 client"][0]["found"]
    assert not cli.sessions_dir.exists()  # it changes nothing
    cli.sessions_dir.mkdir(parents=True, mode=0o700)
    status, found = examined(cli, DISPLAY=None)
    assert (status, "is private, can be written" in found["sessions folder"][0]["found"]) == (0, True)
    assert found["clock"][0]["level"] == "ok"
    assert not list(cli.sessions_dir.iterdir())


def test_people_read_it_in_lines_that_fit(cli: CommandLine) -> None:
    cli.sessions_dir.mkdir(parents=True, mode=0o755)
    child = cli.spawn("--doctor", size=(60, 40))
    status, text = finish(child)
    assert status == Exit.UNHEALTHY
    assert max(len(line) for line in text.splitlines()) <= 40
    assert "problem" in text
    assert f"chmod 700 {cli.sessions_dir}" in cli.run("--doctor").stdout
    assert "one of" in cli.run("--doctor", "--list").stderr.lower()


def test_a_folder_that_others_may_use_is_a_problem(cli: CommandLine) -> None:
    cli.sessions_dir.mkdir(parents=True)
    cli.sessions_dir.chmod(0o750)
    status, found = examined(cli)
    (finding,) = found["sessions folder"]
    assert (status, finding["level"], "0750" in finding["found"]) == (Exit.UNHEALTHY, "problem", True)
    assert finding["advice"].endswith(f"chmod 700 {cli.sessions_dir}")
    cli.sessions_dir.rmdir()
    cli.sessions_dir.symlink_to(cli.home)
    assert "is not a folder" in examined(cli)[1]["sessions folder"][0]["found"]


def test_a_folder_without_room_is_a_problem(cli: CommandLine) -> None:
    cli.sessions_dir.mkdir(parents=True, mode=0o700)
    limited = ["bash", "-c", f"ulimit -f 0; exec {QCONNECT} --doctor --json"]  # no file may have a byte
    done = subprocess.run(limited, env=cli.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == Exit.UNHEALTHY, done.stderr
    assert "cannot be written" in done.stdout
    assert not list(cli.sessions_dir.iterdir())


def test_settings_that_do_not_fit_each_other_are_told(tmp_path: Path) -> None:
    cli = CommandLine(
        tmp_path, transport="auto", port_base=32000, ssh_command="no-such-ssh", client_dirs=[str(tmp_path)]
    )
    (tmp_path / ".config/qconnect/apps").mkdir(parents=True)
    (tmp_path / ".config/qconnect/apps/bad.yaml").write_text("title: [\n")
    try:
        status, found = examined(cli, DISPLAY=":1", PATH=f"{QCONNECT.parent}")
        assert status == Exit.UNHEALTHY
        ports, ssh = found["transport"]
        assert (ports["level"], "c.QConnect.port_base" in ports["advice"]) == ("warning", True)
        assert (ssh["level"], "no-such-ssh" in ssh["found"]) == ("problem", True)
        assert [finding["level"] for finding in found["programs here"]] == ["warning"] * 3
        assert (found["HTML5 client"][0]["level"], found["apps"][0]["level"]) == ("warning", "warning")
        assert "bad.yaml" in found["apps"][0]["found"]
    finally:
        cli.close()


def test_a_site_with_torque_is_told_what_to_look_at(site: tuple[CommandLine, dict[str, str]]) -> None:
    cli, env = site
    status, found = examined(cli, DISPLAY=None, **env)
    assert status == 0
    assert found["batch system"][0]["found"].startswith(f"torque. {env['PATH'].partition(':')[0]}/qstat is TORQUE's")
    assert found["batch answers"][0]["found"].endswith(" s: batch.")
    (shared,) = found["shared folder"]
    assert (shared["level"], "Compute nodes must see" in shared["advice"]) == ("warning", True)
    assert SECRET not in json.dumps(found)


def test_a_mute_batch_system_is_told_within_seconds(
    site: tuple[CommandLine, dict[str, str]], torque: BatchSystem
) -> None:
    cli, env = site
    torque.fault("qstat", "exec sleep 600")  # its version it still tells
    (torque.root / "bin/qdel").unlink()
    began = time.monotonic()
    status, found = examined(cli, **env)
    assert time.monotonic() - began < 3 * findings.WAIT_S
    assert status == Exit.UNHEALTHY
    assert "did not answer within 8 seconds" in found["batch answers"][0]["found"]
    assert "qstat -Q" in found["batch answers"][0]["advice"]
    (system,) = found["batch system"]
    assert (system["level"], "Not found: qdel" in system["found"]) == ("problem", True)
    eventually(lambda: not torque.alive("qstat"), 10, "the end of what was asked")


def test_a_batch_system_that_refuses_is_told_in_its_own_words(
    site: tuple[CommandLine, dict[str, str]], torque: BatchSystem
) -> None:
    cli, env = site
    words = "Unauthorized Request  MSG=host not in ACL"
    torque.fault("qstat", f'echo "qstat: {words}" >&2; exit 159')
    status, found = examined(cli, **env)
    assert status == Exit.UNHEALTHY
    assert "Unauthorized Request" in found["batch answers"][0]["found"]
    (torque.root / "bin/qstat").write_text(
        "#!/bin/sh\nexit 1\n"
    )  # not even its version: then jobs would run on the login node
    (system,) = examined(cli, **env)[1]["batch system"]
    assert system["found"].startswith("local.")
    assert (system["level"], "`qstat --version`" in system["advice"]) == ("problem", True)


def test_what_hangs_is_told_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "WAIT_S", 0.2)
    gate = threading.Event()

    def look() -> list[Finding]:
        gate.wait(60)
        return []

    began = time.monotonic()
    (found,) = asyncio.run(in_time("folder", look))
    assert time.monotonic() - began < 5
    assert (found.level, "no answer within 0.2 seconds" in found.found) == (Level.PROBLEM, True)
    gate.set()
