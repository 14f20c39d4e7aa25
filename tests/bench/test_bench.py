"""The benchmark's machinery works: every part measures every contestant, and bars can fail. No figure is judged."""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from tests.bench import plot, report
from tests.bench.api import latency_ms, stall
from tests.bench.bars import BARS, judge
from tests.bench.contestants import World, world
from tests.bench.measure import ALL, PARTS, PROXIES, SMOKE, WITH_FLOOR, Bench, Values

pytestmark = pytest.mark.timeout(400)  # the first test starts everybody; a crowded machine may take its time


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("bench")) as found:
        yield found


@pytest.fixture(scope="module")
def values(everybody: World) -> Values:
    bench = Bench(everybody, SMOKE)
    for part in PARTS.values():
        part(bench)
    return bench.values


def test_every_part_measures_its_contestants(values: Values) -> None:
    expected = {
        "bulk, MB/s": WITH_FLOOR,
        "bulk, CPU s/GB": WITH_FLOOR[1:],
        "64-byte round trip p50, µs": WITH_FLOOR,
        "2 sessions: frame p50, ms": ALL,
        "2 sessions: input p99, ms": ALL,
        "Jupyter's API beside 2 sessions, p50, ms": ("jupyter-server-proxy", "ours", "ours, mTLS"),
        "loop stalled, GIL held: frame p99, ms": ("jupyter-server-proxy", "ours", "ours, mTLS"),
        "slow reader: frame p99 of the others beside it, ms": (*PROXIES, "ours, mTLS"),
        "100 MiB message up, s": ALL,
        "memory of an idle session, kB": PROXIES,
    }
    for figure, contestants in expected.items():
        assert set(values[figure]) == set(contestants), figure
        assert all(math.isfinite(value) for rounds in values[figure].values() for value in rounds), figure


def test_a_stall_holds_the_server_up_until_it_is_ended(everybody: World) -> None:
    server = everybody.contestants["jupyter-server-proxy"].server
    assert server
    with stall(server, "held"):
        assert latency_ms(server, 1.1)[1] > 100
    assert latency_ms(server, 0.1)[0] < 100
    assert server.request("POST", "bench/stalls?gil=free", auth=False).status == 403


def made_up(better: bool) -> Values:
    """Values of a run in which ours is far better, or far worse, than every bar asks."""
    good, bad = (0.001, 1000.0) if better else (1000.0, 0.001)
    figures: Values = {}
    for figure in (
        "bulk, CPU s/GB",
        "64-byte round trip p50, µs",
        "20 sessions: CPU, % of a core",
        "20 sessions: frame p50, ms",
        "loop stalled, GIL free: frame p99, ms",
        "loop stalled, GIL held: frame p99, ms",
        "Jupyter's API beside 20 sessions, p50, ms",
        "slow reader: memory grows by, MiB",
        "slow reader: frame p99 of the others beside it, ms",
        "100 MiB message down, s",
        "100 MiB message up, s",
        "100 MiB messages: memory grows by, MiB",
        "memory of an idle session, kB",
    ):
        figures[figure] = {who: [good if who.startswith("ours") else bad] for who in ALL}
    for figure in ("bulk, MB/s", "50 sessions: frames of the worst session, %"):
        figures[figure] = {who: [bad if who.startswith("ours") else good] for who in ALL}
    for figure in ("Jupyter's API, idle, p50, ms", "slow reader: frame p99 of the others without it, ms"):
        figures[figure] = {who: [1.0] for who in ALL}
    return figures


def test_every_bar_holds_for_the_better_and_fails_for_the_worse() -> None:
    assert [verdict.held for verdict in judge(made_up(better=True))] == [True] * len(BARS)
    assert [verdict.held for verdict in judge(made_up(better=False))] == [False] * len(BARS)


def test_a_bar_without_its_figures_is_not_judged() -> None:
    assert [verdict.bar.text for verdict in judge({"bulk, CPU s/GB": {"ours": [0.5]}})] == ["bulk CPU, plain upstream"]


def test_page_and_picture_show_what_was_measured(values: Values) -> None:
    facts = {"date": "2020-01-01", "load": "1", "launch": "| painted |", "missing": ["mix"]}
    made = {**values, **made_up(better=True)}
    page = report.page(made, judge(made), facts)
    assert page.count("| PASS |") == len(BARS)
    assert all(figure in page for figure in values)
    assert "**Not measured in this run:** mix." in page
    picture = ElementTree.fromstring(plot.svg(made))  # noqa: S314 - our own
    assert len(picture.findall("{http://www.w3.org/2000/svg}g")) == len(plot.PANELS)
