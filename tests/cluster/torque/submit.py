"""What the server does with a submission: the checks in TORQUE's order, then the job."""

from __future__ import annotations

import os
import re
import time
from typing import Any

from tests.cluster.torque.jobs import Job, seconds
from tests.cluster.torque.state import Refused, Server
from tests.cluster.torque.words import NO_NODES

RESOURCES = {
    "nodes",
    "mem",
    "pmem",
    "vmem",
    "pvmem",
    "walltime",
    "cput",
    "pcput",
    "ncpus",
    "file",
    "nice",
    "procs",
    "gres",
}
MEMORY = {"mem", "pmem", "vmem", "pvmem", "file"}
NODES = {"qc-node01": 4, "qc-node02": 4}
"""The nodes file: names and np."""


def submitted(server: Server, user: str, request: dict[str, Any]) -> str:
    """The id of the new job; raises Refused."""
    options: dict[str, str] = request["options"]
    if request["host"] != server.name:
        text = f"Bad UID for job execution MSG=ruserok failed validating {user}/{user} from {request['host']}"
        raise Refused(177, text)
    queue = options.get("q", "batch").partition("@")[0] or "batch"
    resources = _resources(options.get("l", ""), server.queues.get(queue, {}))
    _check_queue(server, user, queue, resources)
    number = int(server.settings["next_job_number"])
    server.settings["next_job_number"] = str(number + 1)
    job_id = f"{number}.{server.name}"
    if not request["script"]:  # an id is given, and the job never exists (recorded three times of three)
        return job_id
    now = time.time()
    job = Job(
        number=number,
        server=server.name,
        owner=user,
        host=request["host"],
        name=options["N"] or "none",
        queue=queue,
        script=request["script"].replace("\r\n", "\n"),
        options=options,
        resources=resources,
        variables=_variables(options, request, queue, server.name, user),
        submit_args=request["submit_args"],
        workdir=request["cwd"],
        **_paths(options, request, number),
        ctime=now,
        mtime=now,
        etime=now,
    )
    if "h" in options:
        job.state, job.hold, job.etime = "H", "u", None
    if "a" in options:
        job.execution_time = time.mktime(time.strptime(options["a"], "%Y%m%d%H%M"))
        job.state, job.etime = ("W" if "h" not in options else "H"), None
    server.jobs[number] = job
    return job_id


def _resources(text: str, queue: dict[str, str]) -> dict[str, str]:
    """The resource list as the server keeps it: what was asked, in its order, then the queue's defaults."""
    found: dict[str, str] = {}
    for part in text.split(",") if text else ():
        key, _, value = part.partition("=")
        if key not in RESOURCES:
            raise Refused(189, f"Unknown resource type  Resource_List.{key}")
        legal = re.fullmatch(r"[0-9]+([kmgt]?[bw])?", value, re.IGNORECASE) if key in MEMORY else value
        if key in ("walltime", "cput"):
            try:
                value = _clock(value)
            except ValueError:
                legal = None
        if not legal:
            raise Refused(168, f"Illegal attribute or resource value for Resource_List.{key}")
        found[key] = value
    if "nodes" in found:
        found["nodect"] = _nodect(found["nodes"])
    found.setdefault("walltime", queue.get("resources_default.walltime", "01:00:00"))
    if "nodes" not in found:
        found |= {"nodes": "1", "nodect": "1"}
    return found


def _clock(value: str) -> str:
    total = seconds(value)
    return f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}"


def _nodect(nodes: str) -> str:
    return str(sum(int(part.partition(":")[0]) if part[:1].isdigit() else 1 for part in nodes.split("+")))


def _check_queue(server: Server, user: str, name: str, resources: dict[str, str]) -> None:
    queue = server.queues.get(name)
    if queue is None:
        raise Refused(172, "Unknown queue MSG=requested queue not found")
    who = f"user {user}@{server.name}, queue {name}"
    if queue["enabled"] != "True":
        raise Refused(175, f"Queue is not enabled MSG=queue is disabled: {who}")
    if queue.get("acl_user_enable") == "True" and user not in queue["acl_users"].split(","):
        raise Refused(159, f"Unauthorized Request  MSG=user ACL rejected the submitting user: {who}")
    limit = queue.get("resources_max.walltime")
    if limit and seconds(resources["walltime"]) > seconds(limit):
        raise Refused(190, "Job exceeds queue resource limits MSG=cannot satisfy queue max walltime requirement")
    for part in resources["nodes"].split("+"):
        first, *words = part.split(":")
        cores = max([int(word[4:]) for word in words if word.startswith("ppn=")] + [1])
        named = [word for word in words if "=" not in word]
        known = first in NODES or (first.isdigit() and int(first) <= len(NODES))
        if not known or cores > max(NODES.values()) or named or any(word.startswith("gpus=") for word in words):
            raise Refused(190, NO_NODES)


def _variables(options: dict[str, str], request: dict[str, Any], queue: str, server: str, user: str) -> dict[str, str]:
    environment = request["environment"]
    found = {
        "PBS_O_QUEUE": queue,
        "PBS_O_HOME": environment.get("HOME", ""),
        "PBS_O_LOGNAME": user,
        "PBS_O_PATH": environment.get("PATH", ""),
        "PBS_O_SHELL": environment.get("SHELL", ""),
        "PBS_O_LANG": environment.get("LANG", ""),
        "PBS_O_WORKDIR": request["cwd"],
        "PBS_O_HOST": request["host"],
        "PBS_O_SERVER": server,
    }
    for part in options["v"].split(",") if "v" in options else ():
        name, given, value = part.partition("=")
        found[name] = value if given else environment.get(name, "")
    return {**(environment if "V" in options else {}), **found}


def _paths(options: dict[str, str], request: dict[str, Any], number: int) -> dict[str, str]:
    """Output_Path and Error_Path, `host:path`."""
    name = options["N"] or "none"

    def full(text: str) -> str:
        if re.match(r"[A-Za-z0-9.-]+:/", text):
            return text
        return f"{request['host']}:{os.path.join(request['cwd'], text)}"  # noqa: PTH118 - keeps a closing slash

    output = full(options.get("o", f"{name}.o{number}"))
    error = full(options.get("e", f"{name}.e{number}"))
    if options.get("j") == "oe" and "o" in options:
        error = output
    return {"output": output, "error": error}
