"""The terminal's front door: `qconnect`, on the same SessionManager, without HTTP."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import __version__
from .errors import QConnectError

if TYPE_CHECKING:
    from .models import Session

FIELDS = ("id", "name", "app", "state", "node", "left")


def parser() -> argparse.ArgumentParser:
    """The options; each is documented in docs/cli.md."""
    options = argparse.ArgumentParser(
        prog="qconnect", description="Start programs as batch jobs and open their windows in a browser tab."
    )
    options.add_argument("job_id", nargs="?", help="show this session")
    options.add_argument("-l", "--list", action="store_true", help="list your sessions (the default)")
    options.add_argument("--app", metavar="NAME", help="start this app of the catalogue in a new session")
    options.add_argument("--stop", metavar="JOB_ID", help="end this session")
    options.add_argument("--log", metavar="JOB_ID", help="print the ends of this session's logs")
    options.add_argument("--json", action="store_true", help="print JSON")
    options.add_argument("-v", "--version", action="version", version=f"qconnect {__version__}")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `qconnect`; returns 0, or 1 when something was refused (its message is on stderr)."""
    options = parser().parse_args(argv)
    import asyncio  # here: `-h` and `-v` do without

    try:
        print(asyncio.run(run(options)))
    except (QConnectError, OSError) as error:
        print(f"qconnect: {error}", file=sys.stderr)
        return 1
    return 0


async def run(options: argparse.Namespace) -> str:
    """Does what the options say and returns what to print."""
    from .config import QConnect, site_config

    sessions = QConnect(config=site_config()).build_sessions()
    await sessions.open()
    try:
        if options.log:
            return await sessions.log(options.log)
        if options.app:
            found = [await sessions.start(options.app, {})]
        elif options.stop:
            found = [await sessions.stop(options.stop)]
        elif options.job_id:
            found = [await sessions.find(options.job_id)]
        else:
            found = await sessions.list()
        described = [sessions.describe(session, "/") for session in found]
        return json.dumps(described, indent=2) if options.json else table(found)
    finally:
        await sessions.close()


def table(sessions: Sequence[Session]) -> str:
    """The sessions as a table for people."""
    if not sessions:
        return "You have no sessions. Start one with: qconnect --app NAME"
    rows = [FIELDS, *(row(session) for session in sessions)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(FIELDS))]
    padded = ([cell.ljust(width) for cell, width in zip(cells, widths, strict=True)] for cells in rows)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def row(session: Session) -> tuple[str, ...]:
    """One line of the table."""
    from .quantities import format_walltime
    from .words import walltime_left

    left = walltime_left(session)
    return (
        session.id,
        session.record.spec.name,
        session.record.app,
        session.state.value,
        session.job.node or "-",
        "-" if left is None else format_walltime(left),
    )
