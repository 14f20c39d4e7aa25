"""What each thing that can be asked of a batch system may be: one check for each, which also puts it into one form."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import BadRequest
from ..schedulers.directives import WORD, check_native
from ..units import format_memory, format_walltime, parse_memory, parse_walltime
from ..values.job import MAIL

MAX_NAME = 100
MAX_CORES = 65536
MAX_GPUS = 1000
MAX_NODES = 10000
MAX_NATIVE = 20
MIN_MEMORY = "256MB"
"""xpra and its X server need it: with 64MB they never came up, with 96MB just so (torque-job.md)."""
MAX_WALLTIME = "9999:59:59"
"""What `units.parse_walltime` reads back: four digits of hours."""
QUEUE = r"[A-Za-z0-9._-]{1,64}"
GPU_TYPE = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
MAILS = MAIL.pattern.split("|")
UNITS = "a number and a unit, like 4GB"


def suggest(word: str, known: Iterable[str]) -> str:
    """The end of a message about a word that is not known: the nearest one, or all."""
    names = sorted(known)
    near = difflib.get_close_matches(word.lower(), names, 1)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names)}."


def shown(value: Any) -> str:
    """A value as a message repeats it: short, and without control characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def check_name(value: Any) -> str:
    """A session's name, kept to the letter; raises BadRequest."""
    if not isinstance(value, str):
        raise BadRequest(f"The name must be text, not {shown(value)}. Write it in quotes.")
    if not value.strip():
        raise BadRequest("The name is empty. Leave it out, or write one of 1 to 100 characters.")
    if len(value) > MAX_NAME:
        raise BadRequest(f"The name has {len(value)} characters. Use {MAX_NAME} or fewer.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise BadRequest(f"The name {shown(value)} holds control characters. Write it in one line of plain text.")
    return value


def count(what: str, least: int, most: int) -> Callable[[Any], int]:
    """The check of a number of something, which raises BadRequest."""

    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadRequest(f"The {what} must be a whole number like 4, not {shown(value)}.")
        if not least <= value <= most:
            raise BadRequest(f"The {what} cannot be {shown(value)}. Ask for {least} to {most}.")
        return value

    return check


def check_memory(value: Any) -> str:
    """Memory in its shortest exact form (`2048mb` → `2GB`); raises BadRequest."""
    if not isinstance(value, str):
        raise BadRequest(f"The memory must be text, {UNITS}, not {shown(value)}.")
    if (size := parse_memory(value)) < parse_memory(MIN_MEMORY):
        raise BadRequest(f"The memory {value!r} is too little for a display. Ask for {MIN_MEMORY} or more, like 4GB.")
    return format_memory(size)


def check_walltime(value: Any) -> str:
    """A walltime as `HH:MM:SS`; raises BadRequest."""
    if not isinstance(value, str):
        raise BadRequest(f"The walltime must be text like 04:00:00, not {shown(value)}.")
    if (seconds := parse_walltime(value)) > parse_walltime(MAX_WALLTIME):
        raise BadRequest(f"The walltime {value!r} is more than a year. Ask for {MAX_WALLTIME} or less, like 04:00:00.")
    return format_walltime(seconds)


def check_queue(value: Any) -> str | None:
    """A queue's name, or None for the batch system's own choice; raises BadRequest."""
    if value is None or (isinstance(value, str) and re.fullmatch(QUEUE, value)):
        return value
    raise BadRequest(
        f"The queue {shown(value)} is not a queue's name. "
        "Use up to 64 letters, digits and the signs . _ - or leave it out."
    )


def check_account(value: Any) -> str | None:
    """An account, or None for the one that the site or the batch system takes; raises BadRequest."""
    if value in (None, ""):
        return None
    if isinstance(value, str) and len(value) <= 100 and WORD.fullmatch(value) and value[0] != "/":
        return value
    raise BadRequest(
        f"The account {shown(value)} is not an account's name. Use up to 100 letters, digits and the signs _ . - or "
        "leave it out."
    )


def check_gpu_type(value: Any) -> str | None:
    """A type of GPU as the batch system calls it, or None for any; raises BadRequest."""
    if value in (None, ""):
        return None
    if isinstance(value, str) and re.fullmatch(GPU_TYPE, value):
        return value
    raise BadRequest(f"The type of GPU {shown(value)} is not a word. Write one like a100, or leave it out.")


def check_mail(value: Any) -> str | None:
    """When the batch system writes an e-mail, or None for never; raises BadRequest."""
    if value in (None, ""):
        return None
    if value in MAILS:
        return str(value)
    raise BadRequest(
        f"An e-mail can be sent at {', '.join(MAILS)}, not at {shown(value)}. Choose one, or leave it out."
    )


def check_options(value: Any) -> tuple[str, ...]:
    """Native options of the batch system; raises BadRequest."""
    listed = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    if not listed or len(value) > MAX_NATIVE or any(len(item) > 200 for item in value):
        raise BadRequest(
            f"The native options must be a list of at most {MAX_NATIVE} short texts like ['-l feature=fast'], "
            f"not {shown(value)}."
        )
    check_native(value)
    return tuple(value)


CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": check_name,
    "queue": check_queue,
    "cores": count("cores", 1, MAX_CORES),
    "memory": check_memory,
    "walltime": check_walltime,
    "gpus": count("GPUs", 0, MAX_GPUS),
    "gpu_type": check_gpu_type,
    "account": check_account,
    "nodes": count("nodes", 1, MAX_NODES),
    "mail": check_mail,
    "native": check_options,
}
"""What can be asked for, in the order of the form."""
MEASURES: dict[str, Callable[[Any], int]] = {
    "cores": int,
    "memory": parse_memory,
    "walltime": parse_walltime,
    "gpus": int,
    "nodes": int,
}
"""What has an amount, and how it is compared."""
NOUNS = {"gpus": "GPUs", "gpu_type": "type of GPU", "mail": "e-mail", "native": "native options"}


def noun(key: str) -> str:
    """What a message calls it."""
    return NOUNS.get(key, key)
