"""Takes, runs, shows and ends jobs in the dialects of TORQUE, OpenPBS and Slurm; run by tests/batch/front.sh.

`python -IS engine.py <state folder> <program> <arguments>`. A job is a folder below `jobs`; it runs on this machine, in
a session of its own. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.sax.saxutils import escape

SERVER = ".head"
USER = pwd.getpwuid(os.getuid()).pw_name


class Engine:
    """The jobs below one folder, and how this batch system speaks of them."""

    def __init__(self, root: Path) -> None:
        self.jobs = root / "jobs"
        self.flavour = (root / "flavour").read_text()
        self.paused = (root / "paused").exists()
        self.history = not (root / "no-history").exists()
        self.foreign = int((root / "foreign").read_text()) if (root / "foreign").exists() else 0
        self.number = root / "number"

    def submit(self, arguments: list[str]) -> int:
        script = sys.stdin.read()
        with self.number.open("a+") as counter:
            fcntl.flock(counter, fcntl.LOCK_EX)
            counter.seek(0)
            number = int(counter.read() or 0) + 1
            counter.seek(0)
            counter.truncate()
            counter.write(str(number))
        tag = re.search(r"QCONNECT_SESSION=([\w.-]+)", " ".join(arguments))
        folder = self.jobs / str(number)
        folder.mkdir(parents=True)
        (folder / "script").write_text(script)
        said = {"tag": tag[1] if tag else None, "time": int(time.time())}
        environment = dict(os.environ) | ({"QCONNECT_SESSION": tag[1]} if tag else {})
        environment |= {"SLURM_JOB_ID": str(number)} if self.slurm else {"PBS_JOBID": f"{number}{SERVER}"}
        (folder / "environment").write_text(json.dumps(environment))
        (folder / "job.json").write_text(json.dumps(said))
        if not self.paused:
            self.start(folder)
        print(number if self.slurm else f"{number}{SERVER}")
        return 0

    def start(self, folder: Path) -> None:
        """Runs a job, for the first time or again."""
        output = re.search(r"^#(?:PBS -o|SBATCH --output=) ?(\S+)", (folder / "script").read_text(), re.MULTILINE)
        starts = int((folder / "starts").read_text()) if (folder / "starts").exists() else 0
        run = f"/bin/bash -p {folder}/script; echo $? >{folder}/status.new; mv {folder}/status.new {folder}/status"
        with Path(output[1] if output else os.devnull).open("w", encoding="utf-8") as log:
            job = subprocess.Popen(
                ["/bin/bash", "-c", run],
                env=json.loads((folder / "environment").read_text()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        (folder / "starts").write_text(str(starts + 1))
        (folder / "pid").write_text(str(job.pid))

    def requeue(self, folder: Path) -> None:
        """Ends a job's run and lets it wait again, as `qrerun` does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int((folder / "pid").read_text()), signal.SIGKILL)
        (folder / "pid").unlink()

    @property
    def slurm(self) -> bool:
        return self.flavour == "slurm"

    def state(self, folder: Path) -> tuple[str, int | None]:
        """The letter and the exit status of a job."""
        if (folder / "status").exists():
            return "C", int((folder / "status").read_text())
        if (folder / "cancelled").exists():
            return "C", 271 if (folder / "pid").exists() else None
        return ("R" if (folder / "pid").exists() else "Q"), None

    def cancel(self, names: list[str]) -> int:
        folder = self.jobs / names[-1].partition(".")[0]
        if not folder.is_dir():
            print(f"qdel: nonexistent job id: {names[-1]}", file=sys.stderr)
            return 0 if self.slurm else 153
        (folder / "cancelled").touch()
        if (folder / "pid").exists() and not (folder / "status").exists():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int((folder / "pid").read_text()), signal.SIGKILL)
        return 0

    def found(self, arguments: list[str]) -> tuple[list[Path], list[str]]:
        """The jobs that are asked for, and the ids that are unknown."""
        names = [argument for argument in arguments if re.match(r"[0-9]+(\.|$)", argument)]
        if not names:
            return sorted(self.jobs.glob("*")), []
        folders = {name: self.jobs / name.partition(".")[0] for name in names}
        return [path for path in folders.values() if path.is_dir()], [
            n for n, path in folders.items() if not path.is_dir()
        ]

    def query(self, arguments: list[str]) -> int:
        folders, unknown = self.found(arguments)
        folders = [folder for folder in folders if (folder / "job.json").exists()]
        if self.flavour == "openpbs":
            return self.openpbs(folders, unknown, finished="-x" in arguments)
        self.torque(arguments, folders)
        return self.complain("Unknown Job Id Error", unknown)

    def complain(self, error: str, names: list[str]) -> int:
        """Says so of each of these ids; the status that goes with it."""
        for name in names:
            print(f"qstat: {error} {name}", file=sys.stderr)
        return 153 if names else 0

    def openpbs(self, folders: list[Path], unknown: list[str], *, finished: bool) -> int:
        """One JSON object. A server without history knows no job that is over, and no job at all if asked for such."""
        known = folders
        if not self.history:
            known = [] if finished else [folder for folder in folders if self.state(folder)[0] != "C"]
        jobs = {f"{folder.name}{SERVER}": self.pbs_json(folder) for folder in known}
        print(json.dumps({"pbs_version": "23.06.06", **({"Jobs": jobs} if jobs else {})}))
        left = [*(f"{folder.name}{SERVER}" for folder in folders if folder not in known), *unknown]
        if finished and not self.history:
            self.complain("PBS is not configured to maintain job history", left)
            return 0
        return self.complain("Unknown Job Id", left)

    def torque(self, arguments: list[str], folders: list[Path]) -> None:
        """One document for all jobs or, where ids are given, for each; with `-u` a table, if there is a job."""
        by_id = any(argument[0].isdigit() for argument in arguments)
        if "-u" in arguments and folders:
            rows = (f"{folder.name + SERVER:<23} {USER:<11} batch    {self.state(folder)[0]}" for folder in folders)
            print("", f"{SERVER[1:]}: ", f"{'Job ID':<23} {'Username':<11} Queue    S", *rows, sep="\n")
            return
        for part in [[folder] for folder in folders] if by_id else [folders]:
            print('<?xml version="1.0"?>\n<Data>' + "".join(map(self.xml, part)) + "</Data>")

    def xml(self, folder: Path) -> str:
        letter, status = self.state(folder)
        said = json.loads((folder / "job.json").read_text())
        values = {"Job_Id": f"{folder.name}{SERVER}", "job_state": letter, "queue": "batch", "qtime": said["time"]}
        values |= {"Job_Owner": f"{USER}@vm", "Variable_List": f"PBS_O_HOST=vm,QCONNECT_SESSION={said['tag']}"}
        values |= {"exec_host": f"{os.uname().nodename}/0", "start_time": said["time"]} if letter != "Q" else {}
        values |= {"start_count": (folder / "starts").read_text()} if letter != "Q" else {}
        values |= {} if status is None else {"exit_status": status}
        return "<Job>" + "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items()) + "</Job>"

    def pbs_json(self, folder: Path) -> dict[str, object]:
        letter, status = self.state(folder)
        said = json.loads((folder / "job.json").read_text())
        values: dict[str, object] = {"job_state": letter.replace("C", "F"), "queue": "workq"}
        values |= {"Variable_List": {"QCONNECT_SESSION": said["tag"]}}
        values |= {"exec_host": f"{os.uname().nodename}/0*1"} if letter != "Q" else {}
        return values | ({} if status is None else {"Exit_status": status})

    def squeue(self) -> int:
        states = {"Q": "PENDING", "R": "RUNNING", "C": "COMPLETED"}
        jobs: list[dict[str, object]] = []
        for folder in sorted(self.jobs.glob("*")):
            letter, status = self.state(folder)
            said = json.loads((folder / "job.json").read_text())
            cancelled = letter == "C" and status in (None, 271)
            jobs.append(
                {
                    "job_id": int(folder.name),
                    "user_name": USER,
                    "job_state": "CANCELLED" if cancelled else states[letter],
                    "batch_host": os.uname().nodename if letter != "Q" else "",
                    "comment": f"QCONNECT_SESSION={said['tag']}",
                    "exit_code": (status or 0) % 256 << 8,
                }
            )
        for number in range(self.foreign):
            jobs.append({"job_id": 10**6 + number, "user_name": "somebody", "job_state": "RUNNING", "name": "x" * 200})
        print(json.dumps({"jobs": jobs}))
        return 0


def main(root: Path, program: str, arguments: list[str]) -> int:
    engine = Engine(root)
    if arguments == ["--version"]:
        print(
            {"torque": "Version: 6.1.3", "openpbs": "pbs_version = 23.06.06", "slurm": "slurm 22.05.8"}[engine.flavour]
        )
        return 0
    if program in ("qsub", "sbatch"):
        return engine.submit(arguments)
    if program in ("qdel", "scancel"):
        return engine.cancel(arguments)
    if program in ("qrun", "qrerun"):
        (engine.start if program == "qrun" else engine.requeue)(engine.jobs / arguments[0])
        return 0
    if program == "squeue":
        return engine.squeue()
    if program == "qselect":
        for folder in engine.jobs.glob("*"):
            print(f"{folder.name}{SERVER}")
        return 0
    if "-Q" in arguments:
        attributes = {"queue_type": "Execution", "enabled": "True", "started": "True"}
        lines = "\n".join(f"    {name} = {value}" for name, value in attributes.items())
        print(json.dumps({"Queue": {"batch": attributes}}) if "json" in arguments else f"Queue: batch\n{lines}\n")
        return 0
    if program == "qstat" and "-B" not in arguments:
        return engine.query(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
