"""Which batch system this machine's commands speak to, and how that was told: `scheduler = auto`."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from .commands import environment

VERSION_TIMEOUT = 5.0
"""Seconds for a command to tell its version, which needs no server."""


@dataclass(frozen=True)
class Flavour:
    """A scheduler's name, and why it was chosen: one sentence for users and administrators."""

    name: str
    why: str


def detect() -> Flavour:
    """The batch system whose commands are on PATH; `local` when there is none.

    Slurm's torque wrappers know no `qstat --version`: they are refused in favour of Slurm's own commands.
    """
    qstat, version = shutil.which("qstat"), tell_version("qstat")
    if version and version.startswith("Version:"):
        return Flavour("torque", f"{qstat} is TORQUE's ({version.split()[1]}).")
    if version and version.startswith("pbs_version"):
        return Flavour("openpbs", f"{qstat} is OpenPBS's ({version.split()[-1]}).")
    wrapped = f" {qstat} is not TORQUE's own, so it is not used." if qstat else ""
    sbatch, version = shutil.which("sbatch"), tell_version("sbatch")
    if version and version.lower().startswith("slurm"):
        return Flavour("slurm", f"{sbatch} is Slurm's ({version.split()[-1]}).{wrapped}")
    idle = f" {sbatch} has no configuration, so it is not used." if sbatch else ""
    return Flavour(
        "local",
        f"No batch system's commands (qstat, sbatch) answer on this machine: jobs run on it directly.{wrapped}{idle}",
    )


def tell_version(program: str) -> str | None:
    """The first line of `program --version`, or None when it has none to tell."""
    try:
        done = subprocess.run(
            [program, "--version"],
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERSION_TIMEOUT,
            start_new_session=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.decode(errors="replace").split("\n")
    return lines[0].strip() or None if done.returncode == 0 else None
