"""All times of the sessions stand in one table, each with its reason, and fit each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from qconnect_web.schedulers import commands
from qconnect_web.sessions import timings

pytestmark = pytest.mark.unit

ROOM = Path(timings.__file__).parent
NAMES = {name for name in vars(timings) if name.isupper()}
WAITS = {"wait", "wait_for", "happens", "change", "sleep", "timeout"}


def modules() -> list[Path]:
    """But for the buckets of metrics, which are no times that anything goes by."""
    return [path for path in ROOM.glob("*.py") if path.name not in ("timings.py", "metrics.py")]


def numbers(path: Path) -> Iterator[ast.Constant]:
    """The numbers that a module waits for, or names in seconds: floats other than 0 and 1, arguments of waits."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            values = [*node.args, *(word.value for word in node.keywords)] if name in WAITS else []
            yield from (value for value in values if isinstance(value, ast.Constant) and value.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, float) and node.value not in (0.0, 1.0, 2.0):
            yield node


def test_who_starts_by_http_is_answered_within_ten_seconds() -> None:
    assert timings.START_PATIENCE <= 9


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_no_time_stands_anywhere_else(path: Path) -> None:
    assert not [(number.lineno, number.value) for number in numbers(path)]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_is_used_and_has_a_reason(name: str) -> None:
    assert any(f"timings.{name}" in path.read_text() for path in modules())
    table = (ROOM / "timings.py").read_text()
    assert f"\n{name} = " in table
    assert table.partition(f"\n{name} = ")[2].splitlines()[1].startswith('"""')


def test_the_architecture_names_the_table() -> None:
    text = (ROOM.parents[1] / "docs/architecture.md").read_text()
    assert "sessions/timings" in text


def test_the_more_somebody_waits_the_sooner_the_next_look() -> None:
    pauses = [
        timings.LOOK_OPENING,
        timings.LOOK_WAITING,
        timings.LOOK_WATCHED,
        timings.LOOK_PENDING,
        timings.LOOK_IDLE,
    ]
    assert pauses == sorted(set(pauses))


def test_a_submission_is_not_abandoned_while_its_command_may_run() -> None:
    assert timings.SUBMIT_WITHIN > commands.SUBMIT_TIMEOUT + timings.QUEUES_PATIENCE
    assert timings.SUBMIT_WITHIN < timings.LATE_BY


def test_a_job_is_queued_until_it_may_be_missing() -> None:
    assert timings.JUST_TAKEN <= timings.MISSING_FOR


def test_a_page_that_polls_is_taken_for_somebody_who_watches() -> None:
    assert timings.LOOK_WATCHED < timings.GLANCE < timings.READY_INTERVAL
