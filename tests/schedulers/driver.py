"""A scheduler of this package, driven from outside: one JSON request a line, one JSON answer a line.

Runs where the batch system's commands are, as the user: on the test cluster's login node, or here.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from traitlets.config import Config

from qconnect_web import site
from qconnect_web.config import QConnect
from qconnect_web.errors import QConnectError
from qconnect_web.job_script import directives
from qconnect_web.schedulers import Scheduler
from qconnect_web.schedulers.commands import Commands
from qconnect_web.schedulers.request_form import PRESETS, USUAL
from qconnect_web.values.job import JobSpec


class Driver:
    """The requests: the protocol of `Scheduler`, and hold and release by the system's own commands."""

    def __init__(self, scheduler: Scheduler, folder: Path) -> None:
        self.scheduler = scheduler
        self.folder = folder

    async def submit(self, body: str, spec: dict[str, Any], session: str, form: str | None = None) -> str:
        asked = JobSpec.from_json(spec)
        folder = self.folder / session
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        asked_by = PRESETS[form or USUAL[self.scheduler.name]]
        script = f"#!/bin/bash\n{directives(asked, asked_by, folder)}\n{body}\n"
        return await self.scheduler.submit(script, asked, session=session, folder=folder)

    async def submit_empty(self) -> str:
        return await self.scheduler.submit(" \n", JobSpec("empty"), session="empty", folder=self.folder)

    async def query(self, job_ids: list[str]) -> dict[str, Any]:
        return {job_id: job.to_json() for job_id, job in (await self.scheduler.query(job_ids)).items()}

    async def mine(self) -> list[Any]:
        return [job.to_json() for job in await self.scheduler.mine()]

    async def cancel(self, job_id: str) -> None:
        await self.scheduler.cancel(job_id)

    async def queues(self) -> list[Any]:
        return [queue.to_json() for queue in await self.scheduler.queues()]

    async def hold(self, job_id: str) -> None:
        await self._native("hold", job_id)

    async def release(self, job_id: str) -> None:
        await self._native("release", job_id)

    async def shorten(self, job_id: str) -> None:
        """Two seconds are less than a JobSpec may ask for; TORQUE and OpenPBS lower it for a waiting job."""
        if self.scheduler.name != "slurm":
            argv = ["qalter", "-l", "walltime=00:00:02", job_id]
            await asyncio.to_thread(subprocess.run, argv, check=True, stdout=sys.stderr)

    async def _native(self, what: str, job_id: str) -> None:
        if self.scheduler.name == "local":
            await getattr(self.scheduler, what)(job_id)
            return
        pbs = {"hold": "qhold", "release": "qrls"}
        argv = ["scontrol", what] if self.scheduler.name == "slurm" else [pbs[what]]
        await asyncio.to_thread(subprocess.run, [*argv, job_id], check=True, stdout=sys.stderr)


async def main(name: str, folder: Path) -> None:
    settings = QConnect(config=Config({"QConnect": {"local_max_running": 2}}))
    driver = Driver(site._scheduler(settings, name, folder / "sessions", Commands()), folder)
    while line := await asyncio.to_thread(sys.stdin.readline):
        method, arguments = json.loads(line)
        try:
            answer = {"answer": await getattr(driver, method)(*arguments)}
        except QConnectError as error:
            answer = {"error": type(error).__name__, "message": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
