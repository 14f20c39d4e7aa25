"""The options of `qconnect`: one parser, from which the help, the manual page and the completions are made."""

from __future__ import annotations

import argparse
import os
import shutil
import textwrap

from .. import __version__

DESCRIPTION = (
    "Programs on compute nodes: terminals that live on when you leave them, and windows in a browser tab or on your "
    "own display. Without options it takes you to your terminal session: a running one, else one that waits, else any "
    "other session that runs, else a new one."
)
RULE = (
    "Of several sessions that fit, a running one goes before one that waits, then the lower job id. --gui fits "
    "sessions of the same program, --app sessions of the same app. What is asked of a new session (-n, -t, -m ...) "
    "never changes one that is there; --create always starts a new one."
)

LEAVING = (
    "Leaving is never ending: leave a terminal with Ctrl-b d, windows with Ctrl-C or their cross, waiting with Ctrl-C, "
    "and come back with the job id. A session ends with its program, with --stop, or when its walltime is over."
)


class _Help(argparse.HelpFormatter):
    """Help as wide as the terminal, within reason; no option and no job id is broken at its hyphens."""

    def __init__(self, prog: str) -> None:
        columns = shutil.get_terminal_size().columns
        super().__init__(prog, max_help_position=26 if columns >= 60 else 10, width=max(30, min(columns - 2, 100)))

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(text, width, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in self._split_lines(text, width - len(indent)))


def parser(*notes: str) -> argparse.ArgumentParser:
    """The options; `notes` about this very place and moment follow the rule below them."""
    options = argparse.ArgumentParser(
        prog="qconnect",
        description=DESCRIPTION,
        epilog=" ".join([RULE, LEAVING, *notes]),
        formatter_class=_Help,
        allow_abbrev=False,
    )
    _connecting(options)
    _looking(options.add_argument_group("look and end"))
    _starting(options.add_argument_group("what a new session should be"))
    _scripting(options.add_argument_group("for scripts"))
    return options


def _connecting(options: argparse.ArgumentParser) -> None:
    options.add_argument("job_id", nargs="?", metavar="JOB_ID", help="connect to this session")
    options.add_argument("-j", "--job_id", "--job-id", dest="job", metavar="JOB_ID", help="the same as JOB_ID alone")
    options.add_argument("-c", "--create", action="store_true", help="start a new session even if one is there")
    options.add_argument("-g", "--gui", metavar="CMD", help="connect to this program's session, or start it")
    options.add_argument("--app", metavar="NAME", help="connect to this app's session, or start it (see --apps)")
    options.add_argument("--vnc", action="store_true", help="connect to your VNC desktop, or start one")
    options.add_argument(
        "--connect-gui", metavar="JOB_ID", help="show only the windows of this session on your own display"
    )
    options.add_argument("-v", "--version", action="version", version=f"qconnect {__version__}")


def _looking(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-l", "--list", action="store_true", help="list your sessions")
    group.add_argument("-a", "--all", action="store_true", help="list those that ended, too")
    group.add_argument("--apps", action="store_true", help="list the apps that can be started")
    group.add_argument("--doctor", action="store_true", help="check what this installation needs, and say what to do")
    group.add_argument("--probe", action="store_true", help="with --doctor: run one small real job, too")
    group.add_argument("--log", nargs="?", const="", metavar="JOB_ID", help="print the ends of a session's logs")
    group.add_argument("--stop", nargs="?", const="", metavar="JOB_ID", help="end a session and its program")


def _starting(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-n", "--name", metavar="NAME", help="a name to find it again by")
    group.add_argument(
        "-t", "--cores", type=int, metavar="N", help="cores, on one node; else as many as the app asks for, mostly 1"
    )
    group.add_argument(
        "-m", "--mem", metavar="N", help="memory in GB, or with a unit, like 512MB; else it grows with the cores"
    )
    group.add_argument(
        "--walltime", metavar="TIME", help="how long it may run, like 04:00:00 or 2h; else as the app says"
    )
    group.add_argument("--queue", metavar="NAME", help="the queue to wait in; else the app's or the batch system's")
    group.add_argument("--gpus", type=int, metavar="N", help="GPUs on each node; else as the app says, mostly none")
    group.add_argument("--gpu-type", metavar="TYPE", help="the type of GPU, where the batch system knows types")
    group.add_argument("--account", metavar="NAME", help="the account or project that the job is charged to")
    group.add_argument("--nodes", type=int, metavar="N", help="nodes; the program runs on the first")
    group.add_argument(
        "--mail", metavar="WHEN", help="have the batch system write an e-mail: start, end, start-and-end"
    )
    group.add_argument(
        "--native",
        action="append",
        metavar="OPTION",
        help="an option of the batch system as it is, where the site lets you",
    )
    group.add_argument(
        "--set", action="append", metavar="FIELD=VALUE", help="the answer to a question of the app's own (see its form)"
    )


def _scripting(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--json", action="store_true", help="print JSON; do not connect")
    group.add_argument(
        "--url", nargs="?", const="", metavar="JOB_ID", help="print the address for a browser; do not connect"
    )
    group.add_argument("--wait", action="store_true", help="wait until it is ready; do not connect")
    group.add_argument("--generate-config", action="store_true", help="print all settings, for a configuration file")
    group.add_argument("--script", action="store_true", help="print the job script; submit nothing")


def notes_here() -> list[str]:
    """What the help should say in this place: inside a session, or without xpra."""
    notes = []
    if os.environ.get("QCONNECT") and job_here():
        notes.append(
            f"NOTE: you are inside session {job_here()}. Here, `qconnect` alone prints its display and how to "
            "connect to it; other sessions can be listed, but not connected to."
        )
    if not shutil.which("xpra"):
        notes.append(
            "NOTE: xpra is not installed here, so windows are shown in the browser only (--url prints the address)."
        )
    return notes


def job_here() -> str | None:
    """The id of the job that this command runs in, or None."""
    return os.environ.get("PBS_JOBID") or os.environ.get("SLURM_JOB_ID") or None
