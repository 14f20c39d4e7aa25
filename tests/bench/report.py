"""Tables of what was measured, for the terminal and for docs/benchmarks.md."""

from __future__ import annotations

import math
import os
import platform
import statistics
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from tests.bench.bars import Verdict, ratio
from tests.bench.measure import WITH_FLOOR, Values

TEMPLATE = Path(__file__).with_name("benchmarks.md.j2")
SPEED = ("bulk, MB/s", "64-byte round trip p50, µs", "64-byte round trip p99, µs")
"""Figures that are shown as a ratio to the direct connection, too."""


def number(value: float) -> str:
    """Three digits that mean something; — for what did not pass."""
    if math.isinf(value) or math.isnan(value):
        return "—"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def cell(figure: str, who: str, values: Values) -> str:
    """The median of the rounds, with the ratio to direct where that says more."""
    if who not in values[figure]:
        return ""
    shown = number(statistics.median(values[figure][who]))
    if figure in SPEED and who != "direct" and "direct" in values[figure]:
        shown += f" ({ratio(figure, who, 'direct', values):.2f} ×)"
    return shown


def figures_table(values: Values) -> str:
    """One line per figure, one column per contestant, in Markdown."""
    lines = [f"| | {' | '.join(WITH_FLOOR)} |", f"|---|{'---:|' * len(WITH_FLOOR)}"]
    for figure in values:
        lines.append(f"| {figure} | {' | '.join(cell(figure, who, values) for who in WITH_FLOOR)} |")
    return "\n".join(lines)


def bars_table(verdicts: list[Verdict]) -> str:
    """One line per bar, in Markdown."""
    lines = ["| bar | wanted | measured | |", "|---|---:|---:|---|"]
    for verdict in verdicts:
        shown = f"{number(verdict.found)}{verdict.bar.unit}"
        lines.append(f"| {verdict.bar.text} | {verdict.bar.wanted} | {shown} | {'PASS' if verdict.held else 'FAIL'} |")
    return "\n".join(lines)


def machine() -> str:
    """What it was measured on."""
    models = [
        line for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if line.startswith("model name")
    ]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}, Python {platform.python_version()}"


def page(values: Values, verdicts: list[Verdict], facts: dict[str, Any]) -> str:
    """docs/benchmarks.md."""
    template = Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(TEMPLATE.read_text())  # noqa: S701 - Markdown, of numbers of ours
    return template.render(figures=figures_table(values), bars=bars_table(verdicts), machine=machine(), **facts)
