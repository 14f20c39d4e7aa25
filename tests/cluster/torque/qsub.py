"""qsub's own part: options, #PBS lines, the script; what is wrong with them is said here, before any asking."""

from __future__ import annotations

import getopt
import os
import re
import shlex
import sys
from pathlib import Path
from typing import NoReturn

from tests.cluster.torque.words import QSUB_USAGE

LETTERS = "a:A:b:c:C:d:D:e:fhIj:k:K:l:m:M:N:o:p:P:q:r:S:t:T:u:v:VwW:xXz"
PASSED = ("HOME", "LOGNAME", "PATH", "SHELL", "LANG")


def request(argv: list[str]) -> dict[str, object]:
    """What the server is asked: options (the command line's win over the script's), script, the user's surroundings."""
    if os.geteuid() == 0:
        _fail(1, "qsub can not be run as root\n")
    given, operands = _options(argv)
    name = "STDIN"
    if operands and operands[0] != "-":
        name = Path(operands[0]).name
        try:
            script = Path(operands[0]).read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            _fail(1, f"qsub: script file '{operands[0]}' cannot be loaded - {error.strerror}\n")
    else:
        script = sys.stdin.read()
    options = {**_directives(script), **given}
    _check(options)
    return {
        "options": {"N": name, **options} if options.get("N", name) else {**options, "N": "none"},
        "script": script,
        "submit_args": " ".join(argv),
        "environment": dict(os.environ) if "V" in options else {key: os.environ.get(key, "") for key in PASSED},
    }


def _options(argv: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options by letter, -l lists joined; a mistake ends the program as it ends qsub."""
    try:
        pairs, operands = getopt.getopt(argv, LETTERS)
    except getopt.GetoptError as error:
        if error.opt and len(error.opt) == 1:
            _fail(2, f"qsub: invalid option -- '{error.opt}'\n[exiting]\n{QSUB_USAGE}")
        _fail(2, f"[a single - is not a valid option]\n{QSUB_USAGE}")
    found: dict[str, str] = {}
    for letter, value in ((pair[0][1:], pair[1]) for pair in pairs):
        joined = letter in ("l", "W", "v") and letter in found
        found[letter] = f"{found[letter]},{value}" if joined else value
    if "-" in (operand[:1] for operand in operands if operand != "-"):
        _fail(2, f"[a single - is not a valid option]\n{QSUB_USAGE}")
    return found, operands


def _directives(script: str) -> dict[str, str]:
    """The options in the script's #PBS lines, up to its first command."""
    words: list[str] = []
    for line in script.splitlines():
        if line.startswith("#PBS"):
            words += shlex.split(line[4:])
        elif line.strip() and not line.startswith(("#", ":")):
            break
    return _options(words)[0]


def _check(options: dict[str, str]) -> None:
    name = options.get("N", "x")
    if len(name) > 256 or not re.fullmatch(r"[!-~]*", name):
        _fail(2, f"[qsub: illegal -N value]\n{QSUB_USAGE}")
    if "d" in options and not Path(options["d"]).is_dir():
        _fail(2, f"[qsub: illegal -d value]\n{QSUB_USAGE}")
    if options.get("j", "oe") not in ("oe", "eo", "n"):
        _fail(2, f"[qsub: illegal -j value]\n{QSUB_USAGE}")


def _fail(rc: int, text: str) -> NoReturn:
    sys.stderr.write(text)
    sys.exit(rc)
