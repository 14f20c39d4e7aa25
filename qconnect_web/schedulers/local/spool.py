"""The words of the `local` scheduler: what a job is told, what it asks for, and what its files say of it."""

from __future__ import annotations

import os
import re
import socket
import time
from pathlib import Path
from typing import Any

from ...environment import job_environment
from ...errors import BadFields
from ...units import format_memory
from ...values.job import Job, JobSpec, JobState
from .. import Queue
from .runner import CANCELLED, KILLED, OVER_WALLTIME

SUFFIX = ".local"
CAUSES = {None: "cancelled", CANCELLED: "cancelled", KILLED: "killed", OVER_WALLTIME: "walltime"}
"""Why a job ended, by the exit statuses that its runner gives; a job that never started has none."""


def pbs_variables(job: dict[str, Any], nodes: Path) -> dict[str, str]:
    """The PBS_ variables of a job as TORQUE 6.1.3 sets them (torque.md, In the job), and the session's tag."""
    host, login = socket.gethostname(), job_environment()
    mine = {
        "PBS_ENVIRONMENT": "PBS_BATCH",
        "PBS_JOBID": job["id"],
        "PBS_JOBNAME": job["name"],
        "PBS_QUEUE": job["queue"],
        "PBS_NODEFILE": str(nodes),
        "PBS_NODENUM": "0",
        "PBS_TASKNUM": "1",
        "PBS_VNODENUM": "0",
        "PBS_NP": str(job["cores"]),
        "PBS_NUM_NODES": "1",
        "PBS_NUM_PPN": str(job["cores"]),
        "PBS_WALLTIME": str(job["walltime_s"]),
        "PBS_VERSION": "qconnect-local",
        "PBS_O_HOST": host,
        "PBS_O_SERVER": host,
        "PBS_O_QUEUE": job["queue"],
        "PBS_O_WORKDIR": job["workdir"],
        "ENVIRONMENT": "BATCH",
        "HOSTNAME": host,
    }
    theirs = {f"PBS_O_{name}": login.get(name, "") for name in ("HOME", "LANG", "LOGNAME", "PATH", "SHELL")}
    return mine | theirs | ({"QCONNECT_SESSION": job["session"]} if job["session"] else {})


def request(number: int, spec: JobSpec, *, queue: str, max_running: int, session: str, folder: Path) -> dict[str, Any]:
    """What `job.json` holds, but for the environment."""
    return {
        "id": f"{number}{SUFFIX}",
        "name": re.sub(r"[^A-Za-z0-9_.+-]+", "_", spec.name)[:64] or "job",
        "queue": queue,
        "cores": spec.cores,
        "walltime_s": spec.walltime_s,
        "max_running": max_running,
        "session": session,
        "output": str(folder / "scheduler.log"),
        "workdir": str(Path.home()),
        "submitted": time.time(),
    }


def check(spec: JobSpec, queue: str) -> None:
    """Raises BadFields for what this machine can never run."""
    cores, memory, gpus = os.cpu_count() or 1, machine_memory(), machine_gpus()
    there = format_memory(memory // (1 << 20) * (1 << 20))
    wrong = {
        "queue": spec.queue not in (None, queue)
        and f"There is no queue {spec.queue} on this machine. Leave it out: the only one is {queue}.",
        "nodes": spec.nodes > 1 and f"{spec.nodes} nodes were asked for; this machine is one node. Ask for one.",
        "cores": spec.cores > cores
        and f"{spec.cores} cores were asked for; this machine has {cores} cores. Ask for fewer.",
        "memory": spec.memory_bytes > memory
        and f"{spec.memory} of memory were asked for; this machine has {there}. Ask for less.",
        "gpus": spec.gpus > gpus and f"{spec.gpus} GPUs were asked for; this machine has {gpus}. Ask for fewer.",
    }
    if fields := {field: words for field, words in wrong.items() if words}:
        raise BadFields.of(fields, reason="limits")


def machine_gpus() -> int:
    """How many GPUs of NVIDIA this machine has."""
    return len([path for path in Path("/dev").glob("nvidia[0-9]*") if path.name[6:].isdigit()])


def machine_memory() -> int:
    """This machine's memory in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def waiting(running: int) -> str:
    """Why a job waits of which so many that run at a time stand before it."""
    at_a_time = "1 job runs" if running == 1 else f"{running} jobs run"
    return f"{at_a_time} here at a time; this one waits for its turn."


def job_of(asked: dict[str, Any], started: dict[str, Any] | None, ended: dict[str, Any] | None, *, held: bool) -> Job:
    """The job that a folder's files speak of; raises KeyError, TypeError or BadRequest when they speak of none."""
    state = JobState.HELD if held else JobState.QUEUED
    if started or ended:
        state = JobState.COMPLETED if ended else JobState.RUNNING
    return Job.from_json(
        {
            "id": asked["id"],
            "state": state.value,
            "node": socket.gethostname() if started else None,
            "queue": asked["queue"],
            "name": asked["name"],
            "exit_status": ended["exit_status"] if ended else None,
            "submitted": asked["submitted"],
            "started": started["time"] if started else None,
            "ended": ended["time"] if ended else None,
            "walltime_s": asked["walltime_s"],
            "session": asked["session"],
            "cause": CAUSES.get(ended["exit_status"]) if ended else None,
        }
    )


def machine(name: str, running: list[int], queued: int, max_running: int) -> Queue:
    """The one queue: this machine, less the cores that its running jobs asked for."""
    cores, memory = os.cpu_count() or 1, machine_memory()
    return Queue(
        name,
        default=True,
        max_cores=cores,
        max_memory=memory,
        max_running=max_running,
        node_cores=cores,
        node_memory=memory,
        max_nodes=1,
        node_gpus=machine_gpus(),
        free_cores=max(0, cores - sum(running)),
        queued=queued,
        running=len(running),
    )
