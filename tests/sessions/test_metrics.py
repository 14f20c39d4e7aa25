"""What is measured of launches, waits and the batch system's commands, and that the dashboard shows all of it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from qconnect_web.errors import SchedulerFailed, TooManyRequests
from qconnect_web.proxy import metrics as of_displays
from qconnect_web.schedulers.commands import Commands
from qconnect_web.sessions import metrics
from qconnect_web.sessions.audit import TERMINAL, Audit
from qconnect_web.sessions.metrics import Journeys
from qconnect_web.values.job import Job, JobState
from qconnect_web.values.session import SessionState
from tests.sessions.test_audit import LOG, OVER, QUEUED
from tests.sessions.test_store import CONNECTION
from tests.support.servers import REPOSITORY

pytestmark = pytest.mark.unit
APP = QUEUED.record.app
STARTING = replace(QUEUED, job=Job("17.head", JobState.RUNNING, node="n1"))
READY = replace(STARTING, connection=CONNECTION)
METERS = [
    meter
    for module in (metrics, of_displays)
    for meter in vars(module).values()
    if hasattr(meter, "_name") and str(meter._name).startswith("qconnect_")
]


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"qconnect_{name}", labels) or 0.0


@pytest.fixture
def more() -> Callable[..., float]:
    """By how much a metric has grown since the test began."""
    known = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
    }
    return lambda name, **labels: value(name, **labels) - known.get((f"qconnect_{name}", *sorted(labels.items())), 0.0)


def test_a_journey_from_start_to_end_is_measured(more: Callable[..., float]) -> None:
    clock = [QUEUED.record.created]
    journeys = Journeys(lambda: [APP], lambda: clock[0])
    for seconds, session in [(0, QUEUED), (42, STARTING), (45, READY), (45, READY), (600, OVER), (601, OVER)]:
        clock[0] = QUEUED.record.created + seconds
        journeys.seen(session)
        if session is READY:
            assert value("sessions", state="READY") == 1
    assert (more("wait_seconds_count", app=APP), more("wait_seconds_sum", app=APP)) == (1, 42)
    assert (more("ready_seconds_count", app=APP), more("ready_seconds_sum", app=APP)) == (1, 3)
    assert more("ends_total", app=APP, result="failed") == 1, "it had no display"
    assert value("sessions", state="READY") == 0


def test_a_session_that_ran_before_the_server_was_there_is_no_journey(more: Callable[..., float]) -> None:
    journeys = Journeys(lambda: [APP])
    for session in (READY, OVER, OVER):
        journeys.seen(session)
    assert more("wait_seconds_count", app=APP) == more("ready_seconds_count", app=APP) == 0
    Journeys(lambda: [APP]).seen(OVER)
    assert more("ends_total", app=APP, result="failed") == 1, "it had no display"


def test_a_session_that_was_held_waited_as_well_and_each_state_is_counted_by_itself(
    more: Callable[..., float],
) -> None:
    clock = [QUEUED.record.created + 30]
    journeys = Journeys(lambda: [APP], lambda: clock[0])
    other = replace(QUEUED, record=replace(QUEUED.record, key="fedcba9876543210"))
    for session in (other, replace(QUEUED, job=Job("17.head", JobState.HELD))):
        journeys.seen(session)
    assert (value("sessions", state="QUEUED"), value("sessions", state="HELD")) == (1, 1)
    journeys.seen(STARTING)
    assert (more("wait_seconds_count", app=APP), more("wait_seconds_sum", app=APP)) == (1, 30)
    for session in (OVER, replace(OVER, record=other.record)):
        journeys.seen(session)
    assert not any(REGISTRY.get_sample_value("qconnect_sessions", {"state": name}) for name in SessionState.__members__)
    assert REGISTRY.get_sample_value("qconnect_sessions", {"state": "ENDED"}) is None, "they are counted as ends"
    assert not journeys._began, "nothing is kept of whoever is over"


def test_a_clock_that_was_put_back_makes_no_wait_negative(more: Callable[..., float]) -> None:
    journeys = Journeys(lambda: [APP], lambda: QUEUED.record.created - 5)
    for session in (QUEUED, STARTING, READY):
        journeys.seen(session)
    assert (more("wait_seconds_count", app=APP), more("wait_seconds_sum", app=APP)) == (1, 0)


def test_commands_are_counted_with_the_time_they_took(more: Callable[..., float]) -> None:
    for outcome, seconds in (("ok", 0.25), ("timeout", 20)):
        metrics.command("qstat", outcome, seconds)
    assert [more("scheduler_commands_total", command="qstat", outcome=name) for name in ("ok", "timeout")] == [1, 1]
    assert more("scheduler_seconds_sum", command="qstat") == 20.25


def test_starts_are_counted_with_their_result_and_by_apps_that_there_are(more: Callable[..., float]) -> None:
    audit, journeys = Audit(LOG), Journeys(lambda: [APP])
    audit.listeners.append(journeys.noted)
    with audit.deed("start", TERMINAL, app=APP) as deed:
        deed.session = QUEUED
    for name in (APP, "made-up-1", "made-up-2"):
        with pytest.raises(TooManyRequests), audit.deed("start", TERMINAL, app=name):
            raise TooManyRequests("Wait.")
    with audit.deed("stop", TERMINAL, job="17"):
        pass
    assert more("launches_total", app=APP, result="done") == 1
    assert more("launches_total", app=APP, result=TooManyRequests.reason) == 1
    assert more("launches_total", app=metrics.OTHER, result=TooManyRequests.reason) == 2
    assert more("launches_total", app=metrics.OTHER, result="done") == 0, "a stop is no start"


@pytest.mark.parametrize(
    ("argv", "outcome"),
    [
        (["true"], "ok"),
        (["false"], "error"),
        (["sleep", "60"], "timeout"),
        (["no-such-program"], "no-command"),
        (["yes"], "error"),
    ],
)
def test_each_command_is_told_with_its_outcome(argv: list[str], outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qconnect_web.schedulers.commands.MAX_OUTPUT", 1000)
    told: list[tuple[list[str], str]] = []
    commands = Commands(lambda argv, outcome, seconds: told.append((list(argv), outcome)))
    commands._query_timeout = 20.0 if outcome != "timeout" else 0.3
    try:
        asyncio.run(commands.ask(argv))
    except SchedulerFailed:
        assert outcome in ("timeout", "no-command", "error")
    assert told == [(argv, outcome)]


def names(meter: Any) -> set[str]:
    """What Prometheus calls it."""
    return {f"{meter._name}{suffix}" for suffix in {"counter": ["_total"], "gauge": [""]}.get(meter._type, ["_bucket"])}


def test_the_dashboard_shows_every_metric_and_none_that_is_not_there() -> None:
    board = json.loads((REPOSITORY / "docs/grafana-dashboard.json").read_text(encoding="utf-8"))
    asked = " ".join(target["expr"] for panel in board["panels"] for target in panel["targets"])
    there = set().union(*(names(meter) for meter in METERS))
    assert len(there) >= 12
    assert set(re.findall(r"qconnect_\w+", asked)) == there
    for label in re.findall(r"by \(([^)]*)\)", asked):
        known = {name for meter in METERS for name in meter._labelnames}
        assert {name.strip() for name in label.split(",")} <= known | {"le"}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: str(meter._name))
def test_every_metric_is_documented(meter: Any) -> None:
    text = Path(REPOSITORY / "docs/configuration.md").read_text(encoding="utf-8")
    suffix = {"counter": "_total"}.get(meter._type, "")
    labels = f"{{{','.join(meter._labelnames)}}}" if meter._labelnames else ""
    assert f"`{meter._name}{suffix}{labels}`" in text
