"""Writes what is made from the options: `python -m qconnect_web.cli.manual` makes manual page and completions.

They are kept in `share/`, so that installing needs no tool for them; a test finds out when they are not current.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
from pathlib import Path

from .. import __version__
from . import exits
from .options import DESCRIPTION, LEAVING, RULE, parser

FILES = "share/man/man1/qconnect.1", "share/bash-completion/completions/qconnect", "share/zsh/site-functions/_qconnect"
FIRST_COLUMN = "2>/dev/null </dev/null | awk 'NR > 1 { print $1 }'"
LISTS = {"_qconnect_jobs": "qconnect -l", "_qconnect_apps": "qconnect --apps"}
"""What completes job ids and apps: the first column of a table, whose head is left out."""
PREAMBLES = {
    "bash": "\n".join(
        [
            *(f'{name}() {{ compgen -W "$({command} {FIRST_COLUMN})" -- "$1"; }}' for name, command in LISTS.items()),
            '_qconnect_programs() { compgen -c -- "$1"; }',
        ]
    ),
    "zsh": "\n".join(
        [
            *(f"{name}() {{ compadd -- $({command} {FIRST_COLUMN}); }}" for name, command in LISTS.items()),
            "_qconnect_programs() { _command_names -e; }",
        ]
    ),
}
COMPLETED = {"job_id": "jobs", "job": "jobs", "connect_gui": "jobs", "log": "jobs", "stop": "jobs", "url": "jobs"}
COMPLETED |= {"app": "apps", "gui": "programs"}
"""Which options are completed with what."""
ENVIRONMENT = (
    ("DISPLAY", "Your own X display, on which windows are shown when xpra is installed."),
    ("TERM", "The type of the terminal; when it is not set, a plain one (vt100) is assumed."),
    ("NO_COLOR", "No colours, if it is set to anything."),
    (
        "QCONNECT",
        "Set inside a session: `tmux` in a terminal, `vnc` in a VNC desktop, else `gui`. Here `qconnect` alone shows "
        "the display.",
    ),
    ("JUPYTER_CONFIG_DIR", "Where else the site's jupyter_server_config.py is looked for, which qconnect reads."),
)
EXAMPLES = (
    ("qconnect", "To my terminal on a compute node: the one that runs, else a new one."),
    ("qconnect -g 'gimp a.png' -m 8", "To that program's windows, with 8 GB if it must be started."),
    ("qconnect --vnc", "To my VNC desktop."),
    ("qconnect -l", "What do I have?"),
    ("qconnect 17", "Back to session 17."),
    ("qconnect --stop 17", "The end of it."),
    ("qconnect --app rstudio --wait --url", "The address of an RStudio that is ready, for a script."),
)


def exit_lines() -> list[tuple[int, str]]:
    """(status, meaning) of each exit status, the meaning from the docstring below it."""
    (body,) = [node for node in ast.parse(inspect.getsource(exits)).body if isinstance(node, ast.ClassDef)][:1]
    found = []
    for name, text in zip(body.body[1::2], body.body[2::2], strict=True):
        assert isinstance(name, ast.Assign)
        assert isinstance(text, ast.Expr)
        found.append((int(ast.literal_eval(name.value)), str(ast.literal_eval(text.value))))
    return found


def manual() -> str:
    """The manual page, in man(7)."""
    options = parser()
    lines = [f'.TH QCONNECT 1 "" "qconnect {__version__}" "User Commands"', ".SH NAME"]
    lines += [r"qconnect \- terminals and windows of batch jobs", ".SH SYNOPSIS", ".B qconnect"]
    lines += [r"[\fIOPTION\fR ...] [\fIJOB_ID\fR]", ".SH DESCRIPTION", _escaped(DESCRIPTION)]
    lines += [line for text in (RULE, LEAVING) for line in (".PP", _escaped(text))]
    for group in options._action_groups:
        actions = [action for action in group._group_actions if action.help is not argparse.SUPPRESS]
        if actions:
            lines.append(f".SH {(group.title or '').upper()}")
            lines += [line for action in actions for line in _entry(_invocation(action), _help(action))]
    lines += [
        ".SH EXAMPLES",
        *(line for example in EXAMPLES for line in _entry(f"\\fB{_escaped(example[0])}\\fR", example[1])),
    ]
    lines.append(".SH EXIT STATUS")
    lines += [line for status, text in exit_lines() for line in _entry(f"\\fB{status}\\fR", text)]
    lines.append(".SH ENVIRONMENT")
    lines += [line for name, text in ENVIRONMENT for line in _entry(f"\\fB{name}\\fR", text)]
    lines += [".SH SEE ALSO", r"tmux(1), xpra(1), ssh(1); the documents of qconnect web"]
    return "\n".join(lines) + "\n"


def _entry(head: str, text: str) -> list[str]:
    return [".TP", head, _escaped(text)]


def _help(action: argparse.Action) -> str:
    return (action.help or "").replace("%%", "%")


def _invocation(action: argparse.Action) -> str:
    value = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return rf"\fI{_escaped(value)}\fR"
    names = ", ".join(rf"\fB{_escaped(name)}\fR" for name in action.option_strings)
    if action.nargs == 0:
        return names
    return names + (rf" [\fI{_escaped(value)}\fR]" if action.nargs == "?" else rf" \fI{_escaped(value)}\fR")


def _escaped(text: str) -> str:
    """Text that man(7) shows as it is."""
    return text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("…", "...").replace("`", r"\(ga")


def completion(shell: str) -> str:
    """The completion of `bash` or `zsh`."""
    import shtab

    options = parser()
    for action in options._actions:
        if kind := COMPLETED.get(action.dest):
            function = f"_qconnect_{kind}"
            action.complete = {"bash": function, "zsh": function}  # type: ignore[attr-defined]  # how shtab is told
    return shtab.complete(options, shell, preamble=PREAMBLES[shell])


def documents() -> dict[str, str]:
    """What each file should hold, by its path."""
    return dict(zip(FILES, (manual(), completion("bash"), completion("zsh")), strict=True))


def main(root: Path) -> None:
    """Writes all of them below `root`."""
    for name, text in documents().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{root / name}\n")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent.parent)
