"""Programs that fork and go: what they leave behind lives as long as it has something to show."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from tests.support.deadline import eventually
from tests.support.script_run import ScriptRun, app

SPLASH = (
    "(setsid bash -c 'xmessage splash & sleep 5; kill $!; sleep 3; touch gap; exec xterm' >/dev/null 2>&1 &); exit 0"
)
"""A launcher that ends at once; its splash is there for longer than the grace, and the window comes after a gap."""


def test_a_launcher_with_a_splash_lives_until_its_window(tmp_path: Path) -> None:
    with ScriptRun(tmp_path).by_hand(replace(app("bash", "-c", SPLASH), grace=4)) as run:
        run.ready()
        eventually((run.home / "gap").exists, 30, "the end of the gap between splash and window")
        began = time.monotonic()
        while time.monotonic() - began < 6:  # longer than the grace
            assert run.read("ended.json") is None, run.text("job.log")
            time.sleep(0.5)


def test_the_grace_of_an_app_is_how_long_nothing_is_waited_for(tmp_path: Path) -> None:
    with ScriptRun(tmp_path).by_hand(replace(app("bash", "-c", "sleep 1000 & exit 0"), grace=1)) as run:
        run.ready()
        began = time.monotonic()
        assert run.ended()["reason"] == "app-exit"
        assert time.monotonic() - began < 8


def test_a_daemon_that_comes_and_goes_without_a_window_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    churn = "(while :; do sleep 0.3; done) & exit 0"
    run = ScriptRun(tmp_path).by_hand(replace(app("bash", "-c", churn), grace=2))
    with run.change("SECONDS + 300", "SECONDS + 6"):
        run.ready()
        began = time.monotonic()
        assert run.ended()["reason"] == "app-exit"
        assert 3 < time.monotonic() - began < 15
