"""What is measured: each part runs its contestants in turn, again and again, so that noise meets all of them alike.

A part gives `{figure: {contestant: [one value per round]}}`; ratios are made within a round.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.bench.api import latency_ms, stall
from tests.bench.contestants import Contestant, World
from tests.bench.programs import LoadFailed, carried, load

Values = dict[str, dict[str, list[float]]]
PROXIES = ("nginx", "jupyter-server-proxy", "ours")
PLAIN = ("direct", *PROXIES)
ALL = (*PLAIN, "ours, mTLS", "ours, ssh")
WITH_FLOOR = ("direct", "C relay", *ALL[1:])
"""Bare passing of bytes is also held against the least that anything in between can do."""
MESSAGE = 100 * 1024 * 1024
FLOOD = 200_000_000
"""Bytes that a slow reader is flooded with: jupyter-server-proxy takes all of them into its memory."""
SLOW = 100_000
STEP = 20
"""Idle sessions that are opened at a time."""


@dataclass(frozen=True)
class Effort:
    """How often and how long (seconds) each thing is measured, with which numbers of sessions."""

    rounds: int = 5
    seconds: float = 1.0
    mixed_seconds: float = 4.0  # processor time is counted in hundredths, and handshakes have an aftermath of their own
    sessions: tuple[int, ...] = (1, 5, 20, 50)
    message: int = MESSAGE


SMOKE = Effort(rounds=1, seconds=0.3, mixed_seconds=0.6, sessions=(2,), message=1024 * 1024)
"""Enough to see that everything can be measured, not to believe what comes out."""


@dataclass
class Bench:
    """One run: the world, the effort, and the values so far."""

    world: World
    effort: Effort
    values: Values = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, figure: str, contestant: Contestant, value: float) -> None:
        self.values[figure][contestant.name].append(value)

    def interleave(self, names: tuple[str, ...], measure: Callable[[Contestant], None]) -> None:
        """Every contestant once, as often as there are rounds."""
        for _ in range(self.effort.rounds):
            for name in names:
                measure(self.world.contestants[name])

    def carry(self, contestant: Contestant, *words: str | float) -> tuple[dict[str, Any], float]:
        """A load's answer, and the processor time (seconds) that the proxy used for it."""
        try:
            answer, before, after = carried(contestant.target, words, contestant.cpu_s)
        except LoadFailed as error:
            log = contestant.server.log[-3000:] if contestant.server else ""
            raise LoadFailed(f"{contestant.name}, {words}: {error}\n{log}") from error
        return answer, after - before


def bulk(bench: Bench) -> None:
    """As many bytes as will go from the display to the browser."""

    def measure(contestant: Contestant) -> None:
        answer, cpu_s = bench.carry(contestant, "bulk", bench.effort.seconds)
        bench.add("bulk, MB/s", contestant, answer["bytes"] / answer["seconds"] / 1e6)
        if contestant.pid:
            bench.add("bulk, CPU s/GB", contestant, cpu_s / answer["bytes"] * 1e9)

    bench.interleave(WITH_FLOOR, measure)


def rtt(bench: Bench) -> None:
    """64 bytes up and back, one at a time."""

    def measure(contestant: Contestant) -> None:
        answer, cpu_s = bench.carry(contestant, "rtt", bench.effort.seconds)
        bench.add("64-byte round trip p50, µs", contestant, answer["rtt"]["p50"])
        bench.add("64-byte round trip p99, µs", contestant, answer["rtt"]["p99"])
        if contestant.pid:
            bench.add("64-byte round trip, CPU µs", contestant, cpu_s / answer["rtt"]["n"] * 1e6)

    bench.interleave(WITH_FLOOR, measure)


def mix(bench: Bench) -> None:
    """Desktops at work: 30 frames of 50 KiB down and 125 inputs up a second, each."""
    for sessions in bench.effort.sessions:
        bench.interleave(ALL if sessions <= 20 else PLAIN, partial(_mixed, bench, sessions))


def _mixed(bench: Bench, sessions: int, contestant: Contestant) -> None:
    seconds = bench.effort.mixed_seconds
    answer, cpu_s = bench.carry(contestant, "mix", sessions, seconds)
    name = f"{sessions} sessions"
    bench.add(f"{name}: frame p50, ms", contestant, p(answer, "frame", "p50"))
    bench.add(f"{name}: frame p99, ms", contestant, p(answer, "frame", "p99"))
    bench.add(f"{name}: input p99, ms", contestant, p(answer, "input", "p99"))
    bench.add(f"{name}: frames of the worst session, %", contestant, answer["least"] * 100)
    if contestant.pid:
        bench.add(f"{name}: CPU, % of a core", contestant, cpu_s / answer["seconds"] * 100)


def p(answer: dict[str, Any], kind: str, percentile: str) -> float:
    """A percentile in ms; endless when nothing came at all."""
    return float(answer[kind].get(percentile, float("inf"))) / 1000


def api(bench: Bench) -> None:
    """What a user of the same Jupyter server notices while 20 desktops stream through it."""
    seconds, sessions = bench.effort.seconds, min(20, max(bench.effort.sessions))

    def measure(contestant: Contestant) -> None:
        assert contestant.server
        bench.add("Jupyter's API, idle, p50, ms", contestant, latency_ms(contestant.server, seconds)[0])
        with load(contestant.target, "mix", sessions, 1.5 * seconds) as running:
            running.begin()
            p50, p99 = latency_ms(contestant.server, seconds)
            running.answer()
        bench.add(f"Jupyter's API beside {sessions} sessions, p50, ms", contestant, p50)
        bench.add(f"Jupyter's API beside {sessions} sessions, p99, ms", contestant, p99)

    bench.interleave(("jupyter-server-proxy", "ours", "ours, mTLS"), measure)


def stalls(bench: Bench) -> None:
    """Five desktops while the Jupyter server's loop stands still for 200 ms of each second."""

    def measure(gil: str, contestant: Contestant) -> None:
        assert contestant.server
        with stall(contestant.server, gil):
            answer, _ = bench.carry(contestant, "mix", min(5, max(bench.effort.sessions)), bench.effort.mixed_seconds)
        bench.add(f"loop stalled, GIL {gil}: frame p99, ms", contestant, p(answer, "frame", "p99"))
        bench.add(f"loop stalled, GIL {gil}: input p99, ms", contestant, p(answer, "input", "p99"))

    for gil in ("free", "held"):
        bench.interleave(("jupyter-server-proxy", "ours", "ours, mTLS"), partial(measure, gil))


def slow(bench: Bench) -> None:
    """One browser reads 100 kB/s of a flood, beside five desktops."""
    sessions, seconds = min(5, max(bench.effort.sessions)), bench.effort.seconds

    def measure(contestant: Contestant) -> None:
        alone, _ = bench.carry(contestant, "mix", sessions, seconds)
        before = contestant.rss()
        contestant.forget_peak()
        with load(contestant.target, "slow", SLOW, FLOOD) as running:
            running.begin()
            beside, _ = bench.carry(contestant, "mix", sessions, seconds)
            bench.add("slow reader: memory grows by, MiB", contestant, (contestant.peak_rss() - before) / 2**20)
        bench.add("slow reader: frame p99 of the others without it, ms", contestant, p(alone, "frame", "p99"))
        bench.add("slow reader: frame p99 of the others beside it, ms", contestant, p(beside, "frame", "p99"))

    bench.interleave((*PROXIES, "ours, mTLS"), measure)


def message(bench: Bench) -> None:
    """One message of 100 MiB down, one up."""

    def measure(contestant: Contestant) -> None:
        before = contestant.rss()
        contestant.forget_peak()
        try:
            answer, _ = bench.carry(contestant, "message", bench.effort.message)
        except LoadFailed:
            answer = {"down": False, "up": False}
        for way in ("down", "up"):
            passed = answer[way]
            bench.add(f"100 MiB message {way}, s", contestant, answer[f"{way}_s"] if passed else float("inf"))
        bench.add("100 MiB messages: memory grows by, MiB", contestant, (contestant.peak_rss() - before) / 2**20)

    bench.interleave(ALL, measure)


def memory(bench: Bench) -> None:
    """Idle sessions: what each of them holds, told by 100 more in five steps."""
    for name in PROXIES:
        contestant = bench.world.contestants[name]
        with load(contestant.target, "idle") as running:
            running.begin()
            running.more(STEP)  # what the first ones cost is paid once
            time.sleep(0.5)  # what is still being done for them would be counted with the next
            held = contestant.rss()
            for _ in range(bench.effort.rounds):
                running.more(STEP)
                time.sleep(0.3)
                grown, held = contestant.rss() - held, contestant.rss()
                bench.add("memory of an idle session, kB", contestant, grown / STEP / 1000)


PARTS: dict[str, Callable[[Bench], None]] = {
    part.__name__: part for part in (memory, bulk, rtt, mix, api, stalls, slow, message)
}
