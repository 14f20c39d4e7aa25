"""How TORQUE, OpenPBS and Slurm print the jobs of the programs: the recorded ones, with these jobs' values put in.

Standard library only: it is read by the programs, which know no package.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

BARE = re.compile(r"[+-]?(?:inf|infinity|nan)|-?[0-9]+|00|[0-9]+\.|[+-]?\.[0-9]+|\+[0-9.]+|0x[0-9a-f]+", re.IGNORECASE)
"""Texts that OpenPBS 23.06 writes without quotation marks, as numbers (json-variable-numbers, json-account-inf)."""


@dataclass(frozen=True)
class Shown:
    """One job as far as an answer tells of it; `odd` are more variables, in the user's own words."""

    id: str
    letter: str
    name: str
    user: str
    node: str
    tag: str | None
    walltime: str
    submitted: int
    started: int
    starts: int
    status: int | None
    ended: int | None
    odd: dict[str, str]

    @property
    def variables(self) -> dict[str, str]:
        tagged = {"QCONNECT_SESSION": self.tag} if self.tag else {}
        return {
            "PBS_O_HOME": f"/home/{self.user}",
            "PBS_O_LOGNAME": self.user,
            **tagged,
            **self.odd,
            "PBS_O_HOST": "vm",
        }


# ------------------------------------------------------------------ TORQUE
def torque(job: Shown, templates: dict[str, str]) -> str:
    """As one <Job> of `qstat -x`; odd variables are not escaped, as in releases before that was mended."""
    pairs = ",".join(f"{name}={value if name in job.odd else escape(value)}" for name, value in job.variables.items())
    times = dict.fromkeys(("ctime", "mtime", "qtime", "etime"), str(job.submitted)) | {"start_time": str(job.started)}
    times |= {"comp_time": str(job.ended)}
    values = {
        "Job_Id": job.id,
        "Job_Name": job.name,
        "Job_Owner": f"{job.user}@vm",
        "euser": job.user,
        "queue": "batch",
    }
    values |= {**times, "exec_host": f"{job.node}/0", "start_count": str(job.starts), "Variable_List": pairs}
    text = templates[job.letter]
    for name, value in values.items():
        text = re.sub(rf"<{name}>[^<]*</{name}>", lambda _, n=name, v=value: f"<{n}>{v}</{n}>", text, count=1)  # type: ignore[misc]
    text = re.sub(r"(?<=<Resource_List>)(.*?<walltime>)[0-9:]+", rf"\g<1>{job.walltime}", text)
    exit_status = "" if job.status is None else f"<exit_status>{job.status}</exit_status>"
    return re.sub(r"<exit_status>-?[0-9]+</exit_status>", exit_status, text)


# ------------------------------------------------------------------ OpenPBS
def openpbs(job: Shown, templates: dict[str, Any]) -> dict[str, Any]:
    """The members of one job."""
    letter = job.letter.replace("C", "F")
    where = f"({job.node}:ncpus=1:mem=1048576kb)"
    host = {"exec_host": f"{job.node}/0", "exec_vnode": where, "run_count": job.starts, "Exit_status": job.status}
    host |= {"stime": clock(job.started), "qtime": clock(job.submitted)}
    if letter not in "QH":
        host |= {"comment": f"Job run at {clock(job.started)[:16]} on {where}{' and finished' * (letter == 'F')}"}
    limits = {**templates[letter]["Resource_List"], "walltime": job.walltime}
    values = {
        "job_state": letter,
        "Resource_List": limits,
        "Job_Name": job.name,
        "Job_Owner": f"{job.user}@vm",
        "queue": "workq",
        "Variable_List": job.variables,
    }
    given = {name: {**host, **values}.get(name, value) for name, value in templates[letter].items()}
    if job.status is None:
        given.pop("Exit_status", None)
    return given


def clock(moment: int) -> str:
    """As `Sun Nov 22 07:28:47 2026`, local time."""
    return time.strftime("%a %b %e %H:%M:%S %Y", time.localtime(moment))


def openpbs_json(server: str, jobs: dict[str, dict[str, Any]], now: int) -> str:
    """As `qstat -f -F json`: without a line's end where there is no job."""
    head: dict[str, Any] = {"timestamp": now, "pbs_version": "23.06.06", "pbs_server": server}
    return f"{_json({**head, 'Jobs': jobs}, 0)}\n" if jobs else _json(head, 0)


def _json(value: object, depth: int) -> str:
    if isinstance(value, dict):
        step = "\n" + 4 * (depth + 1) * " "
        inner = ",".join(f'{step}"{name}":{_json(held, depth + 1)}' for name, held in value.items())
        return f"{{{inner}\n{4 * depth * ' '}}}"
    if isinstance(value, str) and not BARE.fullmatch(value):
        return '"' + value.replace('"', '\\"').replace("\n", "\\n") + '"'  # backslashes stay as they are
    return str(value)


def openpbs_text(job_id: str, given: dict[str, Any]) -> str:
    """As one job of `qstat -f`, folded as it folds."""
    lines = [f"Job Id: {job_id}"]
    for name, value in given.items():
        if name == "Variable_List":
            lines.append(f"    {name} = " + ",".join(f"{key}={held}" for key, held in value.items()))
        elif isinstance(value, dict):
            lines += [f"    {name}.{key} = {held}" for key, held in value.items()]
        else:
            lines.append(f"    {name} = {value}")
    return "\n".join(re.sub(r"(.{72})(?=.)", "\\1\n\t", line) for line in lines) + "\n\n"


# ------------------------------------------------------------------ Slurm
STATES = {"Q": "PENDING", "H": "PENDING", "R": "RUNNING", "C": "COMPLETED"}


def slurm_state(job: Shown) -> str:
    return "CANCELLED" if job.letter == "C" and job.status in (None, 271) else STATES[job.letter]


def squeue(jobs: list[Shown], foreign: list[dict[str, object]], answer: dict[str, Any], uid: int) -> str:
    """As `squeue --json` of 22.05, everybody's jobs."""
    (example,) = answer["jobs"]
    told = [{**example, **_member(job, uid)} for job in jobs]
    return json.dumps({**answer, "jobs": [*told, *foreign]}, indent=2).replace("/", "\\/") + "\n"


def _member(job: Shown, uid: int) -> dict[str, object]:
    waits = job.letter in "QH"
    return {
        "job_id": int(job.id),
        "user_id": uid,
        "user_name": job.user,
        "name": job.name,
        "job_state": slurm_state(job),
        "state_reason": "JobHeldUser" if job.letter == "H" else "None",
        "batch_host": "" if waits else job.node,
        "comment": f"QCONNECT_SESSION={job.tag}",
        "exit_code": (job.status or 0) % 256 << 8,
        "submit_time": job.submitted,
        "start_time": 0 if waits else job.started,
        "end_time": 0 if waits else job.started + _seconds(job.walltime),
        "time_limit": _seconds(job.walltime) // 60,
        "restart_cnt": max(0, job.starts - 1),
    }


def _seconds(walltime: str) -> int:
    hours, minutes, seconds = map(int, walltime.split(":"))
    return (hours * 60 + minutes) * 60 + seconds


def scontrol(job: Shown, line: str, uid: int) -> str:
    """As one line of `scontrol -o show job`."""
    values = {"JobId": job.id, "JobName": job.name, "UserId": f"{job.user}({uid})", "JobState": slurm_state(job)}
    values |= {"BatchHost": job.node, "Restarts": str(max(0, job.starts - 1)), "TimeLimit": job.walltime}
    values |= {"ExitCode": f"{(job.status or 0) % 256}:0"}
    for name, value in values.items():
        line = re.sub(rf"\b{name}=\S*", lambda _, n=name, v=value: f"{n}={v}", line, count=1)  # type: ignore[misc]
    return line.rstrip("\n ") + f" Comment=QCONNECT_SESSION={job.tag} \n"
