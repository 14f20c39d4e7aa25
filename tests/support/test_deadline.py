"""Deadlines count the seconds of a quiet machine, and come on a busy one as well."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support import deadline
from tests.support.deadline import BUSIEST, Deadline, eventually, stalled

pytestmark = pytest.mark.unit


@pytest.fixture
def pressure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the kernel says, in the place of what it says."""
    monkeypatch.setattr(deadline, "PRESSURE", tmp_path / "cpu")
    (tmp_path / "cpu").write_text(said(1))
    return tmp_path / "cpu"


def said(seconds: float) -> str:
    kinds = (("some", int(seconds * 1e6)), ("full", 7))
    return "".join(f"{kind} avg10=1.00 avg60=2.00 avg300=3.00 total={total}\n" for kind, total in kinds)


def test_time_in_a_queue_for_a_processor_does_not_count(pressure: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    found = Deadline(10)
    now, _ = 111, pressure.write_text(said(1 + 3))
    assert found.elapsed() == pytest.approx(8)
    assert not found.passed()
    pressure.write_text(said(1))
    assert found.passed()


def test_however_busy_the_machine_is_the_deadline_comes(pressure: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    found = Deadline(10)
    now, _ = 100 + 10 * BUSIEST - 1, pressure.write_text(said(1000))
    assert not found.passed()
    now += 2
    assert found.passed()


def test_a_kernel_that_says_nothing_stalls_nothing(pressure: Path) -> None:
    assert stalled() == 1
    pressure.unlink()
    assert stalled() == 0


@pytest.mark.usefixtures("pressure")
def test_what_did_not_come_true_is_told_as_it_is_then() -> None:
    seen = []
    with pytest.raises(AssertionError, match=r"^3 looks did not come true within 0\.1 s$"):
        eventually(lambda: seen.append(1) if len(seen) < 3 else None, 0.1, lambda: f"{len(seen)} looks")
