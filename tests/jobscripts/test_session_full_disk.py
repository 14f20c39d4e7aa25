"""A node's /tmp or a home without room: named as such, and the end gets through."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qconnect_web.values.session import End
from tests.support.script_run import ScriptRun, app

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="a small disk is mounted, which takes root")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str, str], Path]]:
    """Mounts a disk of some size on a folder of this test."""
    mounted = []

    def mount(name: str, size: str) -> Path:
        place = tmp_path / name
        place.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=1777", "small", place], check=True, timeout=20)
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", place], check=True, timeout=20)


def test_a_node_whose_tmp_is_full_is_named(tmp_path: Path, small_disk: Callable[[str, str], Path]) -> None:
    place = small_disk("node-tmp", "64k")
    run = ScriptRun(tmp_path).by_hand(app())
    with run.change("for base in /tmp /var/tmp", f"for base in {place} /var/tmp"):
        assert run.exit_status() == 70
        end = End.from_json(run.ended())
        assert end.reason == "disk-full"
        assert f"There is no room left in {place} on node {os.uname().nodename}." in end.message
        assert end.message in run.output
        assert run.read("session.json")
        assert not list(place.iterdir())


def test_a_full_home_is_named_before_anything_is_started(
    tmp_path: Path, small_disk: Callable[[str, str], Path]
) -> None:
    small_disk("home", "200k")
    with ScriptRun(tmp_path).by_hand(app()) as run:
        end = run.ended()
        assert end["reason"] == "disk-full"
        assert f"There is no room left for the session in {run.folder} on node" in end["message"]


def test_the_end_gets_through_when_the_program_filled_the_home(
    tmp_path: Path, small_disk: Callable[[str, str], Path]
) -> None:
    home = small_disk("home", "4m")
    fill = "cat /dev/zero >big 2>/dev/null; cat /dev/zero >bigger 2>/dev/null; sleep 1; exit 3"
    with ScriptRun(tmp_path).by_hand(app("bash", "-c", fill)) as run:
        assert run.exit_status() == 3
        assert (home / "big").stat().st_size > 1 << 20
        end = End.from_json(run.read("ended.json") or {})
        assert (end.reason, end.exit_status) == ("app-exit", 3)
