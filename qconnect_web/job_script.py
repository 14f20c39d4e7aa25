"""Renders a session's job script: one self-contained text of bash, from an app and a record.

The shell lives in `jobscripts/`, where shellcheck sees it; the templates there only put values in front of it. Every
value goes through a filter that either quotes it or refuses it: a template cannot emit anything else. What the batch
system reads is in its own words (schedulers/*/directives).
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .apps.answers import handed
from .data_files import data_folder
from .errors import BadRequest
from .schedulers.request_form import PRESETS, RequestForm
from .values.app import App
from .values.job import JobSpec
from .values.session import Record

OF_KIND = {"vnc.sh": "vnc", "tmux.sh": "terminal"}
"""The pieces that only sessions of one kind need."""
BREAKS = "\n\t\u2028\u2029"
"""Line breaks (two of them are so to some programs only) and tabs: never written as they are."""
ESCAPES = str.maketrans(
    {
        "\\": r"\\",
        "'": r"\'",
        "\n": r"\n",
        "\t": r"\t",
        "\u2028": r"\xe2\x80\xa8",  # by bytes: what \u means to bash depends on the locale
        "\u2029": r"\xe2\x80\xa9",
    }
)
"""The inside of bash's `$'…'`."""


class Shell(str):
    """Text that is safe shell already."""


def quote(value: object) -> Shell:
    """One bash word of a string or a number, or several of a list: exactly that text, never a command.

    No line break ever stands in the result, so that no line of it can be taken for a directive. Raises BadRequest for
    control characters other than line break and tab, and for text that is not Unicode.
    """
    if isinstance(value, list | tuple):
        return Shell(" ".join(quote(item) for item in value))
    text = str(value)
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t":
            raise BadRequest(
                f"A command or name holds the character {character!r}, which cannot be passed on. Remove it."
            )
    if not set(BREAKS) & set(text):
        return Shell("'" + text.replace("'", "'\\''") + "'")
    return Shell(f"$'{text.translate(ESCAPES)}'")


def _only_shell(value: object) -> object:
    """Holds each `{{ … }}` of the templates to a filter."""
    if isinstance(value, Shell):
        return value
    raise TypeError(f"a template emits {value!r} without a filter")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(data_folder("jobscripts", "session.sh")),
        undefined=StrictUndefined,
        finalize=_only_shell,
        autoescape=False,  # noqa: S701 - bash, not HTML; _only_shell holds every value to the quote filter
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["quote"] = quote
    return environment


def _piece(name: str) -> str:
    return (data_folder("jobscripts", "session.sh") / name).read_text(encoding="utf-8")


def pieces() -> list[str]:
    """The pieces of the shell library in the order in which they stand in a script."""
    return re.findall(r"^\. \./(\w+\.sh)$", _piece("library.sh"), re.M)


@cache
def _library(kind: str) -> Shell:
    return Shell("\n".join(_piece(name) for name in pieces() if OF_KIND.get(name, kind) == kind))


def render(
    app: App,
    record: Record,
    *,
    sessions_dir: Path | None,
    bind: str,
    form: RequestForm = PRESETS["torque"],
    port_base: int = 20000,
    port_range: int = 10000,
    node_setup: str = "",
    client: Sequence[str] = (),
    folder: Path | None = None,
) -> str:
    """The script of a session that the server submits, tagged with `record.key`.

    `bind` is what the transport dials (`tls` or `socket`), `form` how the batch system is asked, `node_setup` the
    site's bash before the search for xpra, `client` the command `qconnect` in terminals, `folder` where its own output
    goes. Raises BadRequest for what cannot be asked or passed on.
    """
    if bind not in ("tls", "socket"):
        raise ValueError(f"there is no bind {bind!r}")
    script = (
        _environment()
        .get_template("session.j2")
        .render(
            directives=Shell(directives(record.spec, form, folder)),
            sessions=str(sessions_dir or ""),
            bind=bind,
            port_base=port_base,
            port_range=port_range,
            node_setup=node_setup,
            client=tuple(client) if app.kind == "terminal" else (),
            **_of_app(app),
            **_of_record(app, record),
        )
    )
    return script if script.endswith("\n") else script + "\n"


def _of_record(app: App, record: Record) -> dict[str, Any]:
    """What the script of this session of the app holds."""
    spec = record.spec
    return {
        "key": record.key,
        "record": _record_rest(record),
        "walltime_s": spec.walltime_s,
        "command": _command(app, record.command),
        "answers": [f"field_{name}={text}" for name, text in handed(app.fields, spec.fields).items()],
    }


def _of_app(app: App) -> dict[str, Any]:
    """What the script of any session of this app holds."""
    return {
        "kind": app.kind,
        "opengl": int(app.opengl),
        "grace": app.grace,
        "geometry": app.geometry,
        "hold_keys": int(app.hold_keys),
        "setup": app.setup,
        "requires": app.requires,
        "door": Shell(_piece("door.py").rstrip("\n")) if app.kind == "vnc" else "",
        "websocket": Shell(_piece("websocket.py").rstrip("\n")) if app.kind == "vnc" else "",
        "keymap": Shell(_piece("keymap.py").rstrip("\n")) if app.kind == "vnc" else "",
        "library": _library(app.kind),
    }


def render_by_hand(app: App, spec: JobSpec) -> str:
    """The script of an app for plain `qsub`: it makes its own folder, `job-<id>`, and writes its own record there."""
    record = Record(
        key="",
        app=app.name,
        title=app.title,
        spec=spec,
        command=app.command,
        created=0,
        kind=app.kind,
        window=app.window,
    )
    return render(app, record, sessions_dir=None, bind="tls")


def _command(app: App, command: Sequence[str]) -> Sequence[str]:
    chosen = tuple(command) or app.command
    if not chosen or not chosen[0]:
        raise BadRequest(f"{app.title} needs a command. Say which program it should start.")
    return chosen


def directives(spec: JobSpec, form: RequestForm, folder: Path | None = None) -> str:
    """The lines that the batch system reads; raises BadRequest for what cannot be asked of it."""
    if form.dialect == "slurm":  # the others' words are not even read
        from .schedulers.slurm.directives import MARK, lines
    else:
        from .schedulers.pbs.directives import MARK, lines

    log = folder / "scheduler.log" if folder else None
    return "\n".join(f"{MARK} {line}" for line in lines(spec, form, log))


def _record_rest(record: Record) -> str:
    """The end of the JSON line that a run by hand writes: the record without what only the job knows."""
    known: dict[str, Any] = record.to_json()
    for name in ("key", "job_id", "created", "submitted", "submitter", "idempotency_key", "stopped", "refused"):
        del known[name]
    return json.dumps(known, ensure_ascii=True)[1:]


def ready_scripts() -> dict[str, str]:
    """The scripts for plain `qsub` by the name of their app: each shipped one with a command, with its own defaults."""
    from .apps.catalogue import Catalogue

    shipped = Catalogue([])
    apps = [app for app in shipped.apps() if app.command]
    return {app.name: render_by_hand(app, shipped.job_spec(app, {"name": app.name})) for app in apps}


def main(folder: str, *names: str) -> None:
    """Writes NAME.pbs of these apps, or of all, into a folder: `python -m qconnect_web.job_script FOLDER [NAME …]`."""
    for name, script in ready_scripts().items():
        if not names or name in names:
            target = Path(folder) / f"{name}.pbs"
            target.write_text(script, encoding="utf-8")
            sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
