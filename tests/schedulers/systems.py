"""The batch systems that the scheduler suite meets: `local` here, Slurm and TORQUE on the cluster, or real ones."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

from qconnect_web import errors
from qconnect_web.schedulers import Queue
from qconnect_web.values.job import Job, JobSpec, JobState
from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster
from tests.cluster.node import CLEAN
from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY

ANSWER_TIMEOUT = 60


def job_of(data: dict[str, Any]) -> Job:
    """The job as the driver told it."""
    return Job(**{**data, "state": JobState(data["state"])})


class System:
    """One batch system, spoken to by this package's own scheduler in a process of its own."""

    def __init__(self, name: str, cluster: Cluster | None, folder: Path) -> None:
        self.name = name
        self.cluster = cluster
        self.folder = folder
        self._taken: list[str] = []
        there = folder
        argv = [sys.executable, "-m", "tests.schedulers.driver", name]
        environment = {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        if cluster:
            self.folder = cluster.home("alice") / f"suite-{name}"
            there = Path("/home/alice", f"suite-{name}")
            environment["PATH"] = f"{Torque.bin}:{CLEAN['PATH']}" if name == "torque" else CLEAN["PATH"]
            self._process = cluster.login.popen([*argv, str(there)], "alice", environment, **pipes)
        else:
            env = {**os.environ, **environment}
            self._process = subprocess.Popen([*argv, str(there)], env=env, **pipes)  # type: ignore[assignment]

    def ask(self, method: str, *arguments: object) -> Any:
        """The scheduler's answer; raises the scheduler's own error."""
        process = self._process
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps([method, arguments]).encode() + b"\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], ANSWER_TIMEOUT)
        assert ready, f"no answer to {method}"
        answer = json.loads(process.stdout.readline() or b'{"error": "QConnectError", "message": "the driver died"}')
        if "error" in answer:
            raise getattr(errors, answer["error"])(answer["message"])
        return answer["answer"]

    def submit(self, body: str, spec: JobSpec, session: str = "key1", form: str | None = None) -> str:
        """The id of a job with this body; `form` is a preset of request_form, else the batch system's usual one."""
        self._taken.append(str(self.ask("submit", body, spec.to_json(), session, form)))
        return self._taken[-1]

    def query(self, *job_ids: str) -> dict[str, Job]:
        """These jobs, asked about with others beside them, three at least: batch systems answer one id in another way.

        The others stand on both sides, and may be known, over or forgotten.
        """
        others = [job_id for job_id in self._taken if job_id not in job_ids][-2:]
        answer = self.ask("query", [*others[:1], *job_ids, *others[1:]])
        return {job_id: job_of(answer[job_id]) for job_id in job_ids if job_id in answer}

    def mine(self) -> list[Job]:
        return [job_of(data) for data in self.ask("mine")]

    def queues(self) -> dict[str, Queue]:
        return {data["name"]: Queue(**data) for data in self.ask("queues")}

    def wait(self, job_id: str, state: JobState, timeout: float = 30) -> Job:
        """The job as soon as it is in this state."""
        seen: list[Job | None] = [None]

        def arrived() -> bool:
            seen[0] = self.query(job_id).get(job_id)
            return seen[0] is not None and seen[0].state is state

        eventually(arrived, timeout, f"{state} of {job_id} in {self.name}")
        assert seen[0]
        return seen[0]

    def log(self, session: str = "key1") -> str:
        """What the job's own output file holds."""
        return (self.folder / session / "scheduler.log").read_text()

    def close(self) -> None:
        """Ends what is left of the suite's jobs, and the driver."""
        for job in self.mine():
            if job.state is not JobState.COMPLETED:
                self.ask("cancel", job.id)
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(20)
        if self._process.stdout:
            self._process.stdout.close()
