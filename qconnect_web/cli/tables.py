"""The sessions and the apps as tables that fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..plain_text import escaped, shown
from .screen import Painted, Screen, cut, width_of

if TYPE_CHECKING:
    from ..doctor import Finding
    from ..values.session import Session

KINDS = {"terminal": "tmux", "desktop": "desktop", "vnc": "vnc"}
"""Job types as qconnect 1.8.1 called them; all others are `gui`."""
COLUMNS = ("Job_ID", "Job_Name", "Job_Type", "Queue", "Node", "State", "Left")
EXPENDABLE = ("Left", "Queue", "Job_Type", "Node", "Job_Name")
"""The columns in the order in which a narrow terminal loses them."""
LEVEL = 9
"""Columns for how bad a finding is."""
NARROWEST = 8
"""Columns to which the name is cut before another column goes."""


def number(job_id: str) -> tuple[int, str]:
    """What job ids are sorted by: 9 before 10 before 100."""
    digits = job_id.partition(".")[0].partition("[")[0]
    return (int(digits) if digits.isdigit() else 1 << 40, job_id)


def session_row(session: Session) -> dict[str, str]:
    """One line of the table."""
    from ..sessions.describe import walltime_left
    from ..units import format_walltime

    left = walltime_left(session)
    return {
        "Job_ID": session.id,
        "Job_Name": " ".join(session.record.spec.name.split()),
        "Job_Type": KINDS.get(session.record.kind, "gui"),
        "Queue": session.job.queue or session.record.spec.queue or "-",  # what was asked for, until the job says
        "Node": session.job.node or "-",
        "State": session.state.value,
        "Left": "-" if left is None else format_walltime(left),
    }


def sessions(found: Sequence[Session], screen: Screen) -> str:
    """The sessions, the lowest job id first."""
    rows = [session_row(session) for session in sorted(found, key=lambda session: number(session.id))]
    lines = fit(COLUMNS, rows, EXPENDABLE, "Job_Name", screen.width)
    painted = [screen.state(line, row["State"]) for line, row in zip(lines[1:], rows, strict=True)]
    return Painted("\n".join([lines[0], *painted]))


def findings(found: Sequence[Finding], screen: Screen) -> str:
    """What an examination found, a line each or as many as it takes, what to do below it."""
    import textwrap

    width = max(screen.width or 1 << 20, 24)
    lines = []
    for finding in found:
        text = shown(f"{finding.check}: {finding.found}").replace("\n", " ")
        head, *rest = textwrap.wrap(text, width, initial_indent=" " * LEVEL, subsequent_indent=" " * LEVEL)
        level = finding.level.value
        lines += [screen.state(level, level) + head[len(level) :], *rest]
        advice = shown(finding.advice).replace("\n", " ")
        lines += textwrap.wrap(
            advice,
            width,
            initial_indent=" " * LEVEL + "→ ",
            subsequent_indent=" " * (LEVEL + 2),
            break_on_hyphens=False,
        )
    return Painted("\n".join(lines))


def fit(
    columns: Sequence[str], rows: Sequence[dict[str, str]], expendable: Sequence[str], cuttable: str, width: int | None
) -> list[str]:
    """Head and rows, each within `width` columns (None: as wide as they are): one column is cut, others go."""
    left = list(columns)
    table = [{name: escaped(text) for name, text in row.items()} for row in ({name: name for name in columns}, *rows)]
    widths = {name: max(width_of(row[name]) for row in table) for name in columns}
    for name in (None, *expendable):
        if name in left:
            left.remove(name)
        spare = (width or 1 << 20) - sum(widths[other] + 2 for other in left if other != cuttable) + 2
        if cuttable not in left:
            if spare >= 2:
                break
        elif spare - 2 >= min(NARROWEST, widths[cuttable]):
            widths[cuttable] = min(widths[cuttable], spare - 2)
            break
    return [_line(row, left, widths, width) for row in table]


def _line(row: dict[str, str], shown: Sequence[str], widths: dict[str, int], width: int | None) -> str:
    cells = []
    for name in shown:
        text = cut(row[name], widths[name])
        cells.append(text + " " * (widths[name] - width_of(text)))
    line = "  ".join(cells).rstrip()
    return line if width is None else cut(line, width)
