"""The server's bookkeeping: the jobs, and what becomes of them while the real engine (engine.py) runs them."""

from __future__ import annotations

import json
import os
import pwd
import threading
import time
from dataclasses import asdict
from pathlib import Path

from tests.cluster.torque import engine
from tests.cluster.torque.jobs import LIMIT_REACHED, NODES_WANTED, Job

SPOOL = Path("/var/spool/torque")
ENDED = {"COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY", "BOOT_FAIL"}
QUEUES = {
    "batch": {"resources_default.walltime": "01:00:00", "resources_default.nodes": "1"},
    "interactive": {
        "resources_max.walltime": "12:00:00",
        "resources_default.walltime": "01:00:00",
        "resources_default.nodes": "1",
        "max_user_run": "3",
    },
    "closed": {},
    "restricted": {"acl_user_enable": "True", "acl_users": "bob"},
}
SETTINGS = {"keep_completed": "10", "next_job_number": "1", "query_other_jobs": "False", "walltime_poll": "2"}


class Refused(Exception):
    """The answer is an error: PBSE code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Server:
    """All jobs and queues; one request at a time (`lock`)."""

    def __init__(self) -> None:
        self.name = (SPOOL / "server_name").read_text().strip()
        self.lock = threading.RLock()
        self.jobs: dict[int, Job] = {}
        self.settings = dict(SETTINGS)
        self.offline: set[str] = set()
        made = str(int(time.time()))
        self.queues = {
            name: {**queue, "mtime": made, "enabled": str(name != "closed"), "started": "True"}
            for name, queue in QUEUES.items()
        }
        self._state = SPOOL / "server_priv/jobs.json"
        self._saved = ""
        if self._state.exists():
            saved = json.loads(self._state.read_text())
            for data in saved["jobs"]:
                script = self._script(data["number"]).read_text(errors="surrogateescape")
                self.jobs[data["number"]] = Job(**{**data, "script": script})
            self.settings |= saved["settings"]

    def _script(self, number: int) -> Path:
        return SPOOL / f"server_priv/{number}.SC"

    def save(self) -> None:
        """What has changed; scripts, which do not, are written once."""
        for number in self.jobs:
            if not self._script(number).exists():
                self._script(number).write_text(self.jobs[number].script, errors="surrogateescape")
        jobs = [{**asdict(job), "script": ""} for job in self.jobs.values()]
        text = json.dumps({"jobs": jobs, "settings": self.settings})
        if text != self._saved:
            part = self._state.with_suffix(".part")
            part.write_text(text)
            part.rename(self._state)
            self._saved = text

    def find(self, text: str) -> Job | None:
        """The job of this id, full or short; None also for another server's."""
        number, _, server = text.partition(".")
        return self.jobs.get(int(number)) if number.isdigit() and server in ("", self.name) else None

    def refresh(self) -> None:
        """Takes over what the engine and the moms did since the last look; starts what may start."""
        now = time.time()
        keep = float(self.settings["keep_completed"])
        for job in list(self.jobs.values()):
            if job.state == "C" and job.comp_time is not None and now - job.comp_time > keep:
                self._forget(job)
        live = [job for job in self.jobs.values() if job.state != "C"]
        seen = engine.look() if any(job.slurm for job in live) else {}
        for job in live:
            if job.state == "W" and job.execution_time and job.execution_time <= now:
                job.state, job.etime = "Q", now
            if job.slurm:
                self._follow(job, seen.get(job.slurm), now)
            if job.state == "Q" and not job.slurm and job.hold == "n":
                self._schedule(job)
        self.save()

    def _forget(self, job: Job) -> None:
        del self.jobs[job.number]
        self._script(job.number).unlink(missing_ok=True)
        for path in SPOOL.glob(f"mom_priv/jobs/{job.id}.*"):
            path.unlink()

    def _schedule(self, job: Job) -> None:
        limit = int(self.queues[job.queue].get("max_user_run", 0))
        running = [
            other
            for other in self.jobs.values()
            if other.queue == job.queue and other.owner == job.owner and other.slurm and other.state in "QR"
        ]
        if limit and len(running) >= limit:
            job.comment = LIMIT_REACHED
            return
        self.write_order(job)
        job.exclude = sorted(self.offline)
        job.slurm = engine.submit(job, SPOOL, float(self.settings["walltime_poll"]))

    def _follow(self, job: Job, seen: engine.Seen | None, now: float) -> None:
        """One job that is in the engine's hands."""
        report = self._report(job)
        if "session" in report and job.state != "R":
            self._started(job, report, seen)
        if "ended" in report:
            self._ended(job, report)
        elif seen is None or seen.state in ENDED:  # its mom died with its node: TORQUE aborts it, or runs it again
            job.slurm = None
            if job.state == "R" and (job.ending or job.options.get("r", "y") != "y"):  # one that is being deleted ends
                job.over(now, 271 if job.ending else -4)
            elif job.state == "R":
                self.requeue(job)
        elif seen.state == "PENDING":
            job.comment = NODES_WANTED

    def _report(self, job: Job) -> dict[str, object]:
        try:
            return dict(json.loads((SPOOL / f"mom_priv/jobs/{job.id}.report").read_text()))
        except FileNotFoundError:
            return {}

    def _started(self, job: Job, report: dict[str, object], seen: engine.Seen | None) -> None:
        job.state, job.mtime = "R", time.time()
        job.start_time = float(str(report["started"]))
        job.session_id = int(str(report["session"]))
        job.start_count += 1
        job.nodes = seen.nodes if seen and seen.nodes else [str(report["node"])]
        job.exec_host = "+".join(self._slots(node, job.ppn) for node in job.nodes)
        when = time.localtime(job.start_time)
        job.comment = f"Job started on {time.strftime('%a %b %d', when)} at {time.strftime('%H:%M', when)}"

    def slots(self, node: str) -> dict[int, str]:
        """Which of a node's slots are taken, by which job."""
        taken = {}
        for job in self.jobs.values():
            for part in (job.exec_host or "").split("+") if job.state == "R" else ():
                name, _, numbers = part.partition("/")
                low, _, high = numbers.partition("-")
                if name == node:
                    taken |= dict.fromkeys(range(int(low), int(high or low) + 1), job.id)
        return taken

    def _slots(self, node: str, count: int) -> str:
        taken = self.slots(node)
        first = next(n for n in range(64) if not any(n + k in taken for k in range(count)))
        return f"{node}/{first}" + (f"-{first + count - 1}" if count > 1 else "")

    def _ended(self, job: Job, report: dict[str, object]) -> None:
        job.slurm = None
        if report["order"] == "qrerun":
            self.requeue(job)
            return
        job.used = dict(report["used"])  # type: ignore[call-overload]  # the mom's own words
        job.hint = report["hint"] and str(report["hint"])
        job.over(float(str(report["ended"])), int(str(report["status"])))
        job.runtime = float(str(report["ended"])) - float(str(report["started"]))

    def requeue(self, job: Job) -> None:
        """Back into the queue, to run anew."""
        job.state, job.slurm, job.exec_host, job.session_id, job.start_time = "Q", None, None, 0, None
        job.ending = False
        (SPOOL / f"mom_priv/jobs/{job.id}.report").unlink(missing_ok=True)

    def write_order(self, job: Job) -> None:
        """What the mom reads, and the script, as the user's own files."""
        base = SPOOL / "mom_priv/jobs" / job.id
        memory, virtual = job.resources.get("mem"), job.resources.get("vmem")
        limits = {"RLIMIT_DATA": _bytes(memory), "RLIMIT_RSS": _bytes(memory)} if memory and job.nodect == 1 else {}
        limits |= {"RLIMIT_AS": _bytes(virtual)} if virtual else {}
        order = {
            "id": job.id,
            "name": job.name,
            "owner": job.owner,
            "script": f"{base}.SC",
            "shell": job.options.get("S"),
            "keep": job.options.get("k", "n"),
            "join": job.options.get("j", "n"),
            "output": job.output,
            "error": job.error,
            "host": job.host,
            "walltime": job.walltime,
            "kill_delay": job.options.get("K"),
            "limits": limits,
            "variables": self._variables(job),
            "ppn": job.ppn,
        }
        user = pwd.getpwnam(job.owner)
        for suffix, text, mode in ((".SC", job.script, 0o700), (".json", json.dumps(order), 0o600)):
            path = Path(f"{base}{suffix}")
            part = path.with_suffix(".part")
            part.write_text(text, errors="surrogateescape")
            part.chmod(mode)
            os.chown(part, user.pw_uid, user.pw_gid)
            part.rename(path)

    def _variables(self, job: Job) -> dict[str, str]:
        return {
            **job.variables,
            "PBS_ENVIRONMENT": "PBS_BATCH",
            "PBS_JOBCOOKIE": os.urandom(16).hex().upper(),
            "PBS_JOBID": job.id,
            "PBS_JOBNAME": job.name,
            "PBS_MOMPORT": "15003",
            "PBS_NODENUM": "0",
            "PBS_NP": str(job.nodect * job.ppn),
            "PBS_NUM_NODES": str(job.nodect),
            "PBS_NUM_PPN": str(job.ppn),
            "PBS_QUEUE": job.queue,
            "PBS_TASKNUM": "1",
            "PBS_VERSION": "TORQUE-6.1.3.h5",
            "PBS_VNODENUM": "0",
            "PBS_WALLTIME": str(job.walltime),
        }


def _bytes(text: str) -> int:
    units = {"kb": 10, "mb": 20, "gb": 30, "tb": 40}
    return int(text[:-2]) << units[text[-2:].lower()] if text[-2:].lower() in units else int(text.rstrip("bB"))
