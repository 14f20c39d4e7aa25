"""The bars that the data path must clear, and whether it does: each a number made of one run's values."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.bench.measure import Values

Number = Callable[[Values], float]


@dataclass(frozen=True)
class Bar:
    """One bar: `number` of a run's values must be at most (or at least) `limit`; KeyError when it was not measured."""

    text: str
    number: Number
    limit: float
    unit: str = ""
    at_least: bool = False

    def holds(self, values: Values) -> bool:
        """Whether it held in this run."""
        found = self.number(values)
        return found >= self.limit if self.at_least else found <= self.limit

    @property
    def wanted(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}{self.unit}"


@dataclass(frozen=True)
class Verdict:
    """A bar in one run."""

    bar: Bar
    found: float
    held: bool


def median(figure: str, who: str, values: Values) -> float:
    """The median of one contestant's rounds."""
    return statistics.median(values[figure][who])


def worst(figure: str, who: str, values: Values) -> float:
    """The largest of one contestant's rounds: for what must never happen."""
    return max(values[figure][who])


def mean(figure: str, who: str, values: Values) -> float:
    """The mean of one contestant's rounds: for steps that add up."""
    return statistics.fmean(values[figure][who])


def ratio(figure: str, who: str, to: str, values: Values, *, to_figure: str | None = None) -> float:
    """The median of the ratios within each round."""
    pairs = zip(values[figure][who], values[to_figure or figure][to], strict=True)
    return statistics.median(one / other for one, other in pairs)


def added(figure: str, who: str, to: str, values: Values) -> float:
    """The median of the differences within each round."""
    return statistics.median(one - other for one, other in zip(values[figure][who], values[figure][to], strict=True))


def beside_idle(values: Values) -> float:
    """How much slower than twice its idle time Jupyter's API is beside 20 sessions, ms."""
    idle = values["Jupyter's API, idle, p50, ms"]["ours"]
    beside = values["Jupyter's API beside 20 sessions, p50, ms"]["ours"]
    return statistics.median(slow - 2 * calm for slow, calm in zip(beside, idle, strict=True))


def both_ways(values: Values) -> float:
    """The longest that a message of 100 MiB took through ours, s; endless when one did not pass."""
    return max(worst(f"100 MiB message {way}, s", who, values) for way in ("down", "up") for who in OURS)


OURS = ("ours", "ours, mTLS")
STALLED = "loop stalled, GIL {}: frame p99, ms"
GROWTH = "100 MiB messages: memory grows by, MiB"
OTHERS = "slow reader: frame p99 of the others {}, ms"
BARS = (
    Bar("bulk ÷ direct, plain upstream", partial(ratio, "bulk, MB/s", "ours", "direct"), 0.60, at_least=True),
    Bar("bulk CPU, plain upstream", partial(median, "bulk, CPU s/GB", "ours"), 1.0, " s/GB"),
    Bar("bulk CPU, mTLS upstream", partial(median, "bulk, CPU s/GB", "ours, mTLS"), 2.4, " s/GB"),
    Bar("64-byte round trip p50 ÷ direct", partial(ratio, "64-byte round trip p50, µs", "ours", "direct"), 2.2),
    Bar(
        "20 sessions: CPU ÷ jupyter-server-proxy's",
        partial(ratio, "20 sessions: CPU, % of a core", "ours", "jupyter-server-proxy"),
        0.35,
    ),
    Bar("20 sessions: CPU ÷ nginx's", partial(ratio, "20 sessions: CPU, % of a core", "ours", "nginx"), 1.3),
    Bar("20 sessions: added frame p50", partial(added, "20 sessions: frame p50, ms", "ours", "direct"), 0.3, " ms"),
    Bar(
        "50 sessions: frames of the worst session",
        partial(lambda figure, values: min(values[figure]["ours"]), "50 sessions: frames of the worst session, %"),
        80,
        " %",
        at_least=True,
    ),
    Bar("loop stalled, GIL free: frame p99", partial(median, STALLED.format("free"), "ours"), 15, " ms"),
    Bar("loop stalled, GIL held: frame p99", partial(median, STALLED.format("held"), "ours"), 15, " ms"),
    Bar(
        "loop stalled, GIL held, mTLS upstream: frame p99", partial(median, STALLED.format("held"), OURS[1]), 15, " ms"
    ),
    Bar("Jupyter's API beside 20 sessions: p50 − 2 × idle p50", beside_idle, 2, " ms"),
    Bar("slow reader: memory grows by", partial(worst, "slow reader: memory grows by, MiB", "ours"), 16, " MiB"),
    Bar(
        "slow reader: the others' frame p99 ÷ without it",
        partial(ratio, OTHERS.format("beside it"), "ours", "ours", to_figure=OTHERS.format("without it")),
        2,
    ),
    Bar("100 MiB messages pass, both ways, within", both_ways, 20, " s"),
    Bar("100 MiB messages: memory grows by", partial(worst, GROWTH, "ours"), 4, " MiB"),
    Bar("100 MiB messages, mTLS upstream: memory grows by", partial(worst, GROWTH, "ours, mTLS"), 4, " MiB"),
    Bar("memory of an idle session", partial(mean, "memory of an idle session, kB", "ours"), 32, " kB"),
)


def judge(values: Values) -> list[Verdict]:
    """The bars whose figures were measured."""
    verdicts = []
    for bar in BARS:
        try:
            verdicts.append(Verdict(bar, bar.number(values), bar.holds(values)))
        except KeyError:
            continue
    return verdicts
