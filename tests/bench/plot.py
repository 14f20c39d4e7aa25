"""The figures that tell most, as bars in one SVG.

Own, because it is forty lines: a plotting library would be the largest package that the tests install, and its files
change from version to version. It follows the reader's light or dark theme.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from functools import partial
from xml.sax.saxutils import escape

from tests.bench.bars import ratio
from tests.bench.measure import WITH_FLOOR, Values
from tests.bench.report import number

WIDTH, PANEL, ROW, LABEL = 900, 450, 22, 150
COLOURS = {"ours": "#d9480f", "ours, mTLS": "#f08c4a", "ours, ssh": "#f08c4a"}
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600 } .bar { fill: #8c959f }
.page { fill: #fff }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .bar { fill: #6e7681 } .page { fill: #0d1117 } }
"""
PAGE = '<rect class="page" width="100%" height="100%"/>'
Value = Callable[[str, Values], float]


def _median(figure: str, who: str, values: Values) -> float:
    return statistics.median(values[figure][who])


def _ratio(figure: str, who: str, values: Values) -> float:
    return ratio(figure, who, "direct", values)


PANELS: tuple[tuple[str, Value], ...] = (
    ("Bulk, × direct (more is better)", partial(_ratio, "bulk, MB/s")),
    ("Bulk, CPU seconds per GB", partial(_median, "bulk, CPU s/GB")),
    ("64-byte round trip p50, × direct", partial(_ratio, "64-byte round trip p50, µs")),
    ("20 desktops: CPU, % of a core", partial(_median, "20 sessions: CPU, % of a core")),
    ("20 desktops: frame p50, ms", partial(_median, "20 sessions: frame p50, ms")),
    ("Jupyter stalled, GIL held: frame p99, ms", partial(_median, "loop stalled, GIL held: frame p99, ms")),
)


def svg(values: Values) -> str:
    """The whole picture; a panel without figures stays away."""
    drawn, heights = [], [0.0, 0.0]
    for title, value in PANELS:
        found = _measured(value, values)
        if found:
            column = heights.index(min(heights))
            drawn.append(_panel(title, found, column * PANEL, heights[column]))
            heights[column] += ROW * (len(found) + 2)
    height = max(heights) or ROW
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
    title = "<title>qconnect web beside nginx and jupyter-server-proxy</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", PAGE, *drawn, "</svg>", ""])


def _measured(value: Value, values: Values) -> dict[str, float]:
    found = {}
    for who in WITH_FLOOR:
        try:
            found[who] = value(who, values)
        except KeyError:
            continue
    return found


def _panel(title: str, found: dict[str, float], x: float, y: float) -> str:
    largest = max((value for value in found.values() if math.isfinite(value)), default=1) or 1
    lines = [f'<g transform="translate({x:.0f} {y:.0f})"><text class="title" x="4" y="18">{escape(title)}</text>']
    for row, (who, value) in enumerate(found.items(), 1):
        top = ROW * row + 4
        length = (PANEL - LABEL - 70) * (value / largest if math.isfinite(value) else 1)
        colour = f' style="fill:{COLOURS[who]}"' if who in COLOURS else ""
        lines += [
            f'<text x="{LABEL - 6}" y="{top + 14}" text-anchor="end">{escape(who)}</text>',
            f'<rect class="bar" x="{LABEL}" y="{top + 2}" width="{max(length, 1):.1f}" height="{ROW - 6}"{colour}/>',
            f'<text x="{LABEL + max(length, 1) + 5:.1f}" y="{top + 14}">{number(value)}</text>',
        ]
    return "\n".join([*lines, "</g>"])
