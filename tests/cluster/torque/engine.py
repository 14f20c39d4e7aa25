"""The real engine: Slurm on the cluster runs the jobs; this module is all that asks it."""

from __future__ import annotations

import pwd
import re
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.torque.jobs import Job

MOM = Path(__file__).resolve().with_name("mom.py")
PORT = 6818
"""Where slurmd listens: whether it does tells a dead node daemon from a living one."""


@dataclass(frozen=True)
class Seen:
    """What Slurm says of a job: its state and the nodes that it has."""

    state: str
    nodes: list[str]


def submit(job: Job, spool: Path, poll_s: float) -> int:
    """Has Slurm run the mom for this job; its number there. Nothing of Slurm's own limits is to end it."""
    user = pwd.getpwnam(job.owner)
    argv = ["sbatch", "--parsable", "-o", "/dev/null", "-D", "/", "--export=PATH", "-t", "24:00:00", "--mem=1M"]
    argv += ["-J", "torque", "-p", "batch", "-N", str(job.nodect), f"--ntasks-per-node={job.ppn}", "--no-requeue"]
    if job.wanted_nodes:
        argv += ["-w", ",".join(job.wanted_nodes)]
    if job.exclude:
        argv += ["-x", ",".join(job.exclude)]
    script = f"#!/bin/sh\nexec {MOM} {spool}/mom_priv/jobs/{job.id}.json {poll_s}\n"
    done = subprocess.run(
        argv,
        input=script,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
    )
    return int(done.stdout.partition(";")[0])


def look() -> dict[int, Seen]:
    """All jobs that Slurm knows."""
    argv = ["squeue", "-h", "-t", "all", "-o", "%i|%T|%N"]
    out = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout
    rows = (line.split("|") for line in out.splitlines())
    return {int(row[0]): Seen(row[1], hosts(row[2])) for row in rows}


def hosts(text: str) -> list[str]:
    """Node names of `qc-node[01-02],other`."""
    found = []
    for prefix, ranges, plain in re.findall(r"([^,\[]+)\[([^\]]+)\]|([^,\[\]]+)", text):
        if plain:
            found.append(plain)
        for part in ranges.split(",") if ranges else ():
            low, _, high = part.partition("-")
            found += [f"{prefix}{n:0{len(low)}}" for n in range(int(low), int(high or low) + 1)]
    return found


def tell_mom(slurm: int, name: str) -> None:
    """Sends a signal to the job's mom, through the engine."""
    subprocess.run(["scancel", "-Q", "-b", "-s", name, str(slurm)], check=False, timeout=30)


def drop(slurm: int) -> None:
    """Removes a job that has not started."""
    subprocess.run(["scancel", "-Q", str(slurm)], check=False, timeout=30)


def mom_alive(node: str) -> bool:
    """Whether the node's daemon takes connections at all."""
    try:
        socket.create_connection((node, PORT), 5).close()
    except OSError:
        return False
    return True


def nodes() -> dict[str, str]:
    """Slurm's state of each node (`idle`, `mixed`, `down*`, …)."""
    argv = ["sinfo", "-h", "-N", "-p", "batch", "-o", "%N %T"]
    out = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout
    return dict(line.split() for line in out.splitlines())
