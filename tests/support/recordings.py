"""What real batch systems answered, word for word (tests/data/recordings): TORQUE 6.1.3, OpenPBS 23.06, Slurm 22.05."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from qconnect_web.schedulers.commands import Done

DATA = Path(__file__).parents[1] / "data/recordings"
TORQUE, OPENPBS, SLURM = "torque-6.1.3.h5", "openpbs-23.06.06", "slurm-22.05"


@cache
def recordings(system: str) -> dict[str, Done]:
    """Every recorded case of a batch system by its name; one that had to be killed has the status -9."""
    cases = json.loads((DATA / f"{system}.json").read_text())
    return {
        name: Done((case["command"].splitlines()[-1].split()[0],), case["status"], case["out"], case["err"])
        for name, case in cases.items()
    }


def recorded(system: str, case: str) -> Done:
    return recordings(system)[case]


def cases(system: str, prefix: str, *, failed: bool | None = None) -> list[str]:
    """The names of the cases that begin so; with `failed`, only those with such a status."""
    found = recordings(system).items()
    return [name for name, done in found if name.startswith(prefix) and failed in (None, done.status != 0)]
