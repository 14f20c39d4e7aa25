"""The lines of a job script that the batch system reads: what may stand there, and whose line it is in the end."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from ..errors import BadRequest
from ..values.job import PORTABLE_NAME

WORD = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_.,:+=@/-]{0,1023}")
"""What a directive may hold: nothing that any of the batch systems, or a submit filter's shell, gives a meaning to."""
OPTION = re.compile(
    r"-[A-Za-z](?: ?[A-Za-z0-9][A-Za-z0-9_.,:+=@/-]*)?|--[a-z][a-z-]*(?:[= ][A-Za-z0-9_.,:+=@/-]+)?"
    r"|!(?:-l [a-z_]+|-[A-Za-km-z]|--[a-z][a-z-]*)"
)
"""An option as it is; behind a `!`, the beginning of a line that shall not be there."""


def portable_name(text: str) -> str:
    """A job name that every batch system accepts, as near to `text` as can be (PORTABLE_NAME)."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", plain).lstrip("-_.+")[:230].rstrip("-")
    return name if PORTABLE_NAME.fullmatch(name) else "qconnect"


def word(value: object) -> str:
    """A value for a directive as it is; raises BadRequest unless it is of plain letters, digits and `_.,:+=@/-`."""
    if WORD.fullmatch(str(value)):
        return str(value)
    raise BadRequest(
        f"{str(value)[:60]!r} cannot be asked of the batch system. Use letters, digits and the signs _ . - only."
    )


def option(value: str) -> str:
    """One native option as it is, like `-l feature=fast` or `!-l mem`; raises BadRequest for anything else."""
    if OPTION.fullmatch(value):
        return value
    raise BadRequest(
        f"{value[:60]!r} is not an option of the batch system. Write one like `-l feature=fast`, or `!-l mem` to leave "
        "out that line."
    )


def check_native(options: Iterable[str]) -> None:
    """Raises BadRequest for what is no option, and for options that would make an array of jobs out of one."""
    for value in options:
        if re.match(r"-[tJ]|--array|-a[ 0-9]", option(value)):
            raise BadRequest(
                f"{value!r} asks for an array of jobs, and a session is one job. Remove it from the options."
            )


def heads(value: str) -> set[str]:
    """What an option is about: `--mem`, `-q`, and of `-l mem=1gb,ncpus=2` each resource: `-l mem`, `-l ncpus`."""
    if found := re.fullmatch(r"-l ?(.+)", value):
        return {f"-l {part.partition('=')[0]}" for part in found[1].split(",")}
    return {re.split(r"[= ]", value, maxsplit=1)[0] if value.startswith("--") else value[:2]}


def settled(ours: Mapping[str, str | None], native: Sequence[str], instead: Mapping[str, Sequence[str]]) -> list[str]:
    """Our lines by their heads (None: not asked for), and the native options behind them.

    A native option takes the place of our line with the same head, and of those that it excludes (`instead`); `!HEAD`
    leaves that line out. Raises BadRequest for no option, and for a head that no line of ours has.
    """
    check_native(native)
    taken_out = {value.removeprefix("!") for value in native if value.startswith("!")}
    if strange := taken_out - ours.keys():
        raise BadRequest(
            f"{'!' + min(strange)!r} names no line of a job script. Those that can be left out: {', '.join(ours)}."
        )
    theirs = [value for value in native if not value.startswith("!")]
    said = {head for value in theirs for head in heads(value)}
    excluded = {head for other in said for head in instead.get(other, ())}
    kept = [line for head, line in ours.items() if line and head not in taken_out | said | excluded]
    return [*kept, *theirs]
