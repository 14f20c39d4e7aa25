"""Renders a session's job script: one self-contained text of bash, from an app and a record.

The shell lives in `jobscripts/`, where shellcheck sees it; the templates there only put values in front of it. Every
value goes through a filter that either quotes it or refuses it: a template cannot emit anything else.
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

from .data_files import data_folder
from .errors import BadRequest
from .units import format_memory, format_walltime
from .values.app import App
from .values.job import PORTABLE_NAME, JobSpec
from .values.session import Record

OF_KIND = {"vnc.sh": "vnc", "tmux.sh": "terminal"}
"""The pieces that only sessions of one kind need."""
DIALECTS = ("pbs", "slurm")
WORD = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_.,:+=@/-]{0,1023}")
"""What a directive may hold: nothing that any of the batch systems, or a submit filter's shell, gives a meaning to."""
OPTION = re.compile(r"-[A-Za-z](?: ?[A-Za-z0-9][A-Za-z0-9_.,:+=@/-]*)?|--[a-z][a-z-]*(?:[= ][A-Za-z0-9_.,:+=@/-]+)?")
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


def portable_name(text: str) -> str:
    """A job name that every batch system accepts, as near to `text` as can be (PORTABLE_NAME)."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", plain).lstrip("-_.+")[:230].rstrip("-")
    return name if PORTABLE_NAME.fullmatch(name) else "qconnect"


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


def word(value: object) -> Shell:
    """A value for a directive as it is; raises BadRequest unless it is of plain letters, digits and `_.,:+=@/-`."""
    if WORD.fullmatch(str(value)):
        return Shell(value)
    raise BadRequest(
        f"{str(value)[:60]!r} cannot be asked of the batch system. Use letters, digits and the signs _ . - only."
    )


def option(value: str) -> Shell:
    """One native option of the batch system as it is, like `-l feature=fast`; raises BadRequest for anything else."""
    if OPTION.fullmatch(value):
        return Shell(value)
    raise BadRequest(f"{value[:60]!r} is not an option of the batch system. Write one like `-l feature=fast`.")


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
    environment.filters.update(quote=quote, word=word, option=option)
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
    dialect: str = "pbs",
    port_base: int = 20000,
    port_range: int = 10000,
    node_setup: str = "",
    folder: Path | None = None,
) -> str:
    """The script of a session that the server submits, tagged with `record.key`.

    `bind` is what the transport dials (`tls` or `socket`), `dialect` the batch system's directives (`pbs`, `slurm`),
    `node_setup` the site's bash before the search for xpra, `folder` where its own output goes. Raises BadRequest for
    what cannot be asked or passed on.
    """
    if bind not in ("tls", "socket") or dialect not in DIALECTS:
        raise ValueError(f"there is no bind {bind!r} in dialect {dialect!r}")
    log = folder / "scheduler.log" if folder else None
    script = (
        _environment()
        .get_template("session.j2")
        .render(
            directives=_directives(record.spec, dialect, log),
            key=record.key,
            sessions=str(sessions_dir or ""),
            record=_record_rest(record),
            bind=bind,
            port_base=port_base,
            port_range=port_range,
            node_setup=node_setup,
            walltime_s=record.spec.walltime_s,
            command=_command(app, record.command),
            **_of_app(app),
        )
    )
    return script if script.endswith("\n") else script + "\n"


def _of_app(app: App) -> dict[str, Any]:
    """What the script of any session of this app holds."""
    return {
        "kind": app.kind,
        "opengl": int(app.opengl),
        "grace": app.grace,
        "geometry": app.geometry,
        "setup": app.setup,
        "requires": app.requires,
        "door": Shell(_piece("door.py").rstrip("\n")) if app.kind == "vnc" else "",
        "library": _library(app.kind),
    }


def render_by_hand(app: App, spec: JobSpec) -> str:
    """The script of an app for plain `qsub`: it makes its own folder, `job-<id>`, and writes its own record there."""
    record = Record(key="", app=app.name, title=app.title, spec=spec, command=app.command, created=0, kind=app.kind)
    return render(app, record, sessions_dir=None, bind="tls")


def _command(app: App, command: Sequence[str]) -> Sequence[str]:
    chosen = tuple(command) or app.command
    if not chosen or not chosen[0]:
        raise BadRequest(f"{app.title} needs a command. Say which program it should start.")
    return chosen


def _directives(spec: JobSpec, dialect: str, log: Path | None) -> Shell:
    """The lines that the batch system reads."""
    text = (
        _environment()
        .get_template(f"{dialect}.j2")
        .render(
            name=portable_name(spec.name),
            queue=spec.queue,
            account=spec.account,
            nodes=f"nodes={spec.nodes}:ppn={spec.cores}" + (f":gpus={spec.gpus}" if spec.gpus else ""),
            count=spec.nodes,
            cores=spec.cores,
            gpus=spec.gpus,
            memory=format_memory(spec.memory_bytes),
            memory_per_node=f"{-(-spec.memory_bytes // (spec.nodes << 20))}M",
            walltime=format_walltime(spec.walltime_s),
            native=spec.native,
            log=log,
        )
    )
    return Shell(text)


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
