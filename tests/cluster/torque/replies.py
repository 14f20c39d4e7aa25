"""What each command is told: its output, its errors and its exit code, in TORQUE's words."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.cluster.torque import engine, listing
from tests.cluster.torque.jobs import Job
from tests.cluster.torque.nodes import pbsnodes, qmgr
from tests.cluster.torque.said import Reply, Request
from tests.cluster.torque.state import SPOOL, Refused, Server
from tests.cluster.torque.submit import submitted

DELETE_PATIENCE_S = 120
"""timeout_for_job_delete: how long qdel waits for a mom that does not answer."""


def answer(server: Server, user: str, request: Request) -> dict[str, object]:
    """Does what is asked."""
    found = Reply(request["program"])
    with server.lock:
        server.refresh()
    PROGRAMS[request["program"]](server, user, request, found)
    with server.lock:
        server.save()
    return {"rc": found.rc, "out": found.out, "err": found.err}


def qsub(server: Server, user: str, request: Request, found: Reply) -> None:
    with server.lock:
        try:
            job_id = submitted(server, user, request)
        except Refused as refused:
            found.error(refused.code, f"submit error ({refused})")
            return
        server.refresh()
    found.out = "" if "z" in request["options"] else f"{job_id}\n"


def qstat(server: Server, user: str, request: Request, found: Reply) -> None:
    options = {name.lstrip("-"): value for name, value in request["options"]}
    with server.lock:
        everyone = sorted(server.jobs.values(), key=lambda job: job.number)
        now = time.time()
        if "Q" in options and "f" in options:
            mine = {name: [job for job in everyone if job.queue == name] for name in server.queues}
            found.out = "".join(listing.queue_full(name, q, mine[name]) for name, q in server.queues.items())
        elif "Q" in options:
            found.out = listing.queue_table(server.queues, everyone)
        elif "q" in options:
            found.out = listing.queue_limits(server.queues, everyone, server.name)
        elif "B" in options:
            found.out = listing.server_full(server.name, server.settings, everyone)
        else:
            chosen = _chosen(server, user, request["operands"], everyone, found)
            _listed(server, options, chosen, now, found)


def _chosen(server: Server, user: str, operands: list[str], everyone: list[Job], found: Reply) -> list[list[Job]]:
    """The jobs that are meant and may be seen, by operand."""
    visible = [job for job in everyone if _may_see(server, user, job)]
    if not operands:
        return [visible]
    chosen: list[list[Job]] = []
    for operand in operands:
        if not operand[:1].isdigit():
            if operand in server.queues:
                chosen.append([job for job in visible if job.queue == operand])
            else:
                found.error(172, f"Unknown queue destination {operand}")
        elif not operand.partition(".")[0].rstrip("]").replace("[", "").isdigit():
            found.error(1, f"illegally formed job identifier: {operand}")
            found.err += "qstat: Error (1 - Operation not permitted) \n"
        elif (job := server.find(operand)) is None:
            found.error(153, f"Unknown Job Id Error {_full(server, operand)}")
        elif job not in visible:
            found.error(159, f"Unauthorized Request  {job.id}")
        else:
            chosen.append([job])
    return chosen


def _listed(server: Server, options: dict[str, str], chosen: list[list[Job]], now: float, found: Reply) -> None:
    if "u" in options:
        chosen = [[job for job in jobs if job.owner in options["u"].split(",")] for jobs in chosen]
    if "i" in options:
        chosen = [[job for job in jobs if job.state in "QHW"] for jobs in chosen]
    if "r" in options:
        chosen = [[job for job in jobs if job.state == "R"] for jobs in chosen]
    jobs = [job for part in chosen for job in part]
    if "x" in options and not ("u" in options and jobs):
        found.out = "".join(listing.xml(part, now) for part in chosen)
    elif "f" in options:
        found.out = "".join(job.text(now, "1" in options) for job in jobs)
    elif set(options) & set("anirul"):
        found.out = listing.wide(jobs, server.name, now, "n" in options, "1" in options)
    else:
        found.out = listing.short(jobs)


def qdel(server: Server, user: str, request: Request, found: Reply) -> None:
    options = dict(request["options"])
    targets: list[str] = request["operands"]
    if targets == ["all"]:
        targets = [job.id for job in server.jobs.values() if job.owner == user and job.state != "C"]
        found.rc = 153
    for operand in targets:
        if not operand.partition(".")[0].rstrip("]").replace("[", "").isdigit():
            found.error(1, f"illegally formed job identifier: {operand}")
        elif (job := server.find(operand)) is None:
            found.error(153, f"nonexistent job id: {operand}")
        elif "-m" in options and user != "root":
            text = "must have operator or manager privilege to use -m parameter"
            found.error(159, f"Unauthorized Request  MSG={text} {job.id}")
        elif "-p" in options and user != "root":
            found.error(159, f"Unauthorized Request  {job.id}")
        elif _allowed(job, user, found):
            _delete(server, job, found)


def _delete(server: Server, job: Job, found: Reply) -> None:
    with server.lock:
        if job.state != "R":
            if job.slurm:
                engine.drop(job.slurm)
            job.slurm = None
            job.over(time.time())
            return
        slurm, node, again = job.slurm, job.nodes[0], job.ending
        if not engine.mom_alive(node):
            found.error(224, f"Server could not connect to MOM {job.id}")
            return
        job.ending = True
    if slurm and not again:
        engine.tell_mom(slurm, "USR1")
        _await_mom(server, job, slurm, ("acknowledged", "ended"))


def _await_mom(server: Server, job: Job, slurm: int, words: tuple[str, ...]) -> None:
    """Waits, without the lock, until the mom has said one of these; a job that its node lost is purged."""
    report = SPOOL / f"mom_priv/jobs/{job.id}.report"
    until, next_look = time.monotonic() + DELETE_PATIENCE_S, time.monotonic() + 1
    while time.monotonic() < until:
        text = report.read_text() if report.exists() else ""
        if any(f'"{word}"' in text for word in words):
            return
        seen = engine.look().get(slurm) if time.monotonic() > next_look else engine.Seen("RUNNING", [])
        if seen is None or seen.state not in ("RUNNING", "COMPLETING", "SUSPENDED"):
            with server.lock:
                job.slurm = None
                job.over(time.time())
            return
        if time.monotonic() > next_look:
            next_look = time.monotonic() + 1
        time.sleep(0.01)


def qhold(server: Server, user: str, request: Request, found: Reply) -> None:
    for job in _jobs(server, user, request, found):
        job.hold = "u"
        if job.state in "QW":
            if job.slurm:
                engine.drop(job.slurm)
            job.slurm, job.state, job.mtime = None, "H", time.time()


def qrls(server: Server, user: str, request: Request, found: Reply) -> None:
    for job in _jobs(server, user, request, found):
        if job.state == "W":
            text = "The requested state or substate can't be set from the job's current state (slot limit in effect)."
            found.error(70, f"{text} {job.id}")
            continue
        job.hold = "n"
        if job.state == "H":
            waits = job.execution_time is not None and job.execution_time > time.time()
            job.state, job.mtime = "W" if waits else "Q", time.time()
            job.etime = None if waits else time.time()
            with server.lock:
                server.refresh()


def qalter(server: Server, user: str, request: Request, found: Reply) -> None:
    options = {name.lstrip("-"): value for name, value in request["options"]}
    for job in _jobs(server, user, request, found):
        job.name = options.get("N", job.name)
        for part in options.get("l", "").split(",") if "l" in options else ():
            key, _, value = part.partition("=")
            job.resources[key] = value
        server.write_order(job)


def qrerun(server: Server, user: str, request: Request, found: Reply) -> None:
    for job in _jobs(server, user, request, found, need="R"):
        if user != "root":
            text = "additional permissions required (ATR_DFLAG_MGWR | ATR_DFLAG_OPWR)"
            found.error(159, f"Unauthorized Request  MSG={text} {job.id}")
        elif job.slurm:
            engine.tell_mom(job.slurm, "USR2")
            _await_mom(server, job, job.slurm, ("ended",))
            with server.lock:
                server.refresh()


def _jobs(server: Server, user: str, request: Request, found: Reply, need: str = "") -> list[Job]:
    """The jobs that this user may change; the others are complained of."""
    chosen = []
    for operand in request["operands"]:
        job = server.find(operand)
        if job is None:
            found.error(153, f"Unknown Job Id Error {_full(server, operand)}")
        elif _allowed(job, user, found):
            chosen.append(job)
    return [job for job in chosen if not need or job.state in need]


def _allowed(job: Job, user: str, found: Reply) -> bool:
    if user not in (job.owner, "root"):
        found.error(159, f"Unauthorized Request  MSG=operation not permitted {job.id}")
    elif job.state == "C":
        found.error(170, f"Request invalid for state of job MSG=invalid state for job - COMPLETE {job.id}")
    else:
        return True
    return False


def _may_see(server: Server, user: str, job: Job) -> bool:
    return user in (job.owner, "root") or server.settings["query_other_jobs"] == "True"


def _full(server: Server, operand: str) -> str:
    return operand if "." in operand else f"{operand}.{server.name}"


PROGRAMS: dict[str, Callable[[Server, str, Request, Reply], None]] = {
    "qsub": qsub,
    "qstat": qstat,
    "qdel": qdel,
    "qhold": qhold,
    "qrls": qrls,
    "qalter": qalter,
    "qrerun": qrerun,
    "pbsnodes": pbsnodes,
    "qmgr": qmgr,
}
