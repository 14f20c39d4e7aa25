"""What is counted: activity, metrics, and the bounds on how much may be asked for and written down."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone

import pytest

from qconnect_web.http.base import QConnectHandler
from qconnect_web.proxy import asyncio_loop, display_line, log_limit
from qconnect_web.proxy.activity import INPUT_RATE, Tally
from qconnect_web.proxy.log_limit import LINES, Bucket, Quiet
from qconnect_web.proxy.places import Places
from qconnect_web.relay import process
from tests.proxy.test_splice import opened, path
from tests.support.deadline import eventually
from tests.support.jupyter_here import BASE, Jupyter, resident_kb, settle
from tests.support.node_server import NodeServer, switch
from tests.support.session_run import Run

Doors = Callable[..., NodeServer]
MIB = 1024 * 1024


# ------------------------------------------------------------------ activity
class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("rate", "works"), [(0, False), (INPUT_RATE / 2, False), (INPUT_RATE - 1, False), (INPUT_RATE, True), (5000, True)]
)
def test_a_program_works_when_it_sends_more_than_pings(rate: float, works: bool) -> None:
    clock, seen = Clock(), []
    tally = Tally(lambda: seen.append(clock.now), clock)
    for tick in range(1, 11):
        clock.now += 5
        tally(int(rate * 5 * tick), 10 * MIB * tick)  # what a display draws plays no part
    assert bool(seen) is works


def test_a_short_life_does_not_make_a_ping_look_like_work() -> None:
    clock, seen = Clock(), []
    tally = Tally(lambda: seen.append(1), clock)
    clock.now += 0.001
    tally(100, 0)
    assert not seen


@pytest.mark.parametrize(("page", "counts"), [(True, False), (False, True)])
def test_bytes_count_as_activity_for_programs_alone(
    jupyter: Jupyter, run: Run, node: Doors, page: bool, counts: bool
) -> None:
    node(switch())
    times = jupyter.settings.setdefault("last_activity_times", {})
    times.pop("qconnect", None)
    headers = {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}
    if not page:
        headers = {"Authorization": f"token {jupyter.token}"}
    with jupyter.websocket(path(), headers) as wire:
        assert wire.answer().status == 101
        wire.connection.sendall(b"x" * 5000)
        assert len(wire.receive(5000)) == 5000
    settle(jupyter)
    eventually(lambda: any("closed by the browser" in line for line in jupyter.logged), what="the end")
    assert ("qconnect" in times) is counts
    if counts:
        assert abs((datetime.now(timezone.utc) - times["qconnect"]).total_seconds()) < 30


# ------------------------------------------------------------------ metrics
def metric(jupyter: Jupyter, name: str) -> float:
    """One line of Jupyter's own `/metrics`, 0 when it is not there yet."""
    answer = jupyter.ask(f"{BASE}metrics", {"Authorization": f"token {jupyter.token}"})
    assert answer.status == 200
    found = re.search(rf"^{re.escape(name)} ([0-9.e+]+)$", answer.body.decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_metrics_count_what_happens(
    jupyter: Jupyter, run: Run, node: Doors, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [
        'qconnect_upgrades_total{outcome="opened"}',
        'qconnect_upgrades_total{outcome="origin"}',
        'qconnect_bytes_total{direction="up"}',
        'qconnect_bytes_total{direction="down"}',
        'qconnect_websockets_closed_total{by="browser"}',
        "qconnect_opening_seconds_count",
    ]
    before = [metric(jupyter, name) for name in names]
    node(switch())
    with opened(jupyter) as wire:
        assert metric(jupyter, "qconnect_websockets_open") == 1
        wire.connection.sendall(b"x" * 1000)
        assert len(wire.receive(1000)) == 1000
    with jupyter.websocket(path()) as wire:
        assert wire.answer().status == 403
    settle(jupyter)
    assert metric(jupyter, "qconnect_websockets_open") == 0
    eventually(lambda: metric(jupyter, names[4]) > before[4], what="the end is counted")
    after = [metric(jupyter, name) for name in names]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1000, 1000, 1, 1]


@pytest.mark.parametrize("way", ["sockets", "relay"])
def test_bytes_are_told_while_a_websocket_is_open(
    jupyter: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "sockets":
        monkeypatch.setattr(display_line, "movable", lambda browser, endpoint: False)
        monkeypatch.setattr(asyncio_loop, "REPORT_S", 0.2)
    name = 'qconnect_bytes_total{direction="up"}'
    before = metric(jupyter, name)
    node(switch())
    with opened(jupyter) as wire:
        wire.connection.sendall(b"x" * 777)
        assert len(wire.receive(777)) == 777
        eventually(lambda: metric(jupyter, name) - before == 777, process.REPORT_S * 2, "the bytes so far")
    settle(jupyter)


# ------------------------------------------------------------------ bounds
def test_a_bucket_is_refilled_within_a_minute() -> None:
    clock = Clock()
    bucket = Bucket(6, clock)
    assert [bucket.take() for _ in range(8)] == [True] * 6 + [False] * 2
    clock.now += 10
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock.now += 600
    assert bucket.full
    assert [bucket.take() for _ in range(8)] == [True] * 6 + [False] * 2
    assert all(Bucket(0, clock).take() for _ in range(1000))


def test_a_session_is_opened_a_bounded_number_of_times_a_minute(
    jupyter: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = node(switch())
    places = Places(jupyter.app.log, jupyter.relay, most=16, per_minute=5)
    monkeypatch.setattr(jupyter.app.web_app.settings["qconnect"], "places", places)
    for _ in range(5):
        opened(jupyter).connection.close()
    with jupyter.websocket(path(), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}) as wire:
        answer = wire.answer()
    assert answer.status == 429
    assert answer.json()["reason"] == "too-many"
    assert found.dials == 5
    other = places.enter("another session", "viewer-0001")
    places.leave(other)
    settle(jupyter)


@pytest.mark.parametrize("headers", [{"Content-Length": "100000000"}, {"Transfer-Encoding": "chunked"}])
def test_a_body_is_refused_before_it_is_read(jupyter: Jupyter, run: Run, node: Doors, headers: dict[str, str]) -> None:
    found = node(switch())
    before = resident_kb()
    with jupyter.websocket(path(), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin, **headers}) as wire:
        block = b"x" * MIB if "Content-Length" in headers else b"100000\r\n" + b"x" * MIB + b"\r\n"
        with suppress(OSError):
            for _ in range(64):
                wire.connection.sendall(block)
        wire.connection.settimeout(5)
        with suppress(ConnectionResetError):
            assert wire.answer().status == 413
    assert resident_kb() - before < 16 * 1024
    assert found.dials == 0


BAD: list[dict[str, str]] = [
    {},
    {"Origin": "https://evil.example"},
    {"Authorization": "token nonsense"},
    {"Sec-WebSocket-Key": "bad"},
    {"Cookie": "username-127-0-0-1-{port}=nonsense"},
]


def bad_handshakes(jupyter: Jupyter, count: int) -> None:
    """So many requests for a websocket that are all refused."""
    ticket = f"{BASE}qconnect/17.local/t/nonsense/ws/viewer-0001"
    for number in range(count):
        given = {name: value.format(port=jupyter.port) for name, value in BAD[number % len(BAD)].items()}
        with jupyter.websocket(ticket if number % 4 == 3 else path(), given) as wire:
            assert wire.answer().status in (403, 400)


def log_growth(jupyter: Jupyter, count: int, caplog: pytest.LogCaptureFixture) -> int:
    """Bytes that so many bad handshakes add to the log of a server at its usual level."""
    jupyter.quiet._bucket = Bucket(LINES)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        jupyter.app.log.setLevel(logging.INFO)
        try:
            bad_handshakes(jupyter, count)
        finally:
            jupyter.app.log.setLevel(logging.DEBUG)
    return sum(len(record.getMessage()) + 60 for record in caplog.records if record.levelno >= logging.INFO)


def test_bad_handshakes_do_not_fill_the_log(
    jupyter: Jupyter, run: Run, node: Doors, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = node(switch())
    log_growth(jupyter, 100, caplog)
    before = resident_kb()
    grown = log_growth(jupyter, 500, caplog)
    assert grown < 32 * 1024
    assert resident_kb() - before < 10 * 1024
    assert found.dials == 0
    monkeypatch.setattr(Quiet, "filter", lambda self, record: True)
    assert log_growth(jupyter, 500, caplog) > 64 * 1024


def test_what_was_left_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_limit.CallContext, "get", lambda name: object.__new__(QConnectHandler))
    clock, quiet = Clock(), Quiet()
    quiet._bucket = Bucket(2, clock)

    def passes() -> str | None:
        record = logging.LogRecord("x", logging.WARNING, "", 1, "bad %s", ("request",), None)
        return record.getMessage() if quiet.filter(record) else None

    assert [passes() for _ in range(5)] == ["bad request"] * 2 + [None] * 3
    clock.now += 30
    assert passes() == "bad request (3 lines about requests were left out before this one)"
    monkeypatch.setattr(log_limit.CallContext, "get", lambda name: None)
    assert all(passes() for _ in range(10))
