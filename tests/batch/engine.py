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
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.batch import words
from tests.batch.words import Shown

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
        self.templates: dict[str, Any] = json.loads((root / "templates.json").read_text())
        self.manners = (root / "manners").read_text() if (root / "manners").exists() else ""
        self.odd = (root / "odd").read_text() if (root / "odd").exists() else ""

    def submit(self, arguments: list[str]) -> int:
        script = sys.stdin.read()
        if status := self.refused(script):
            return status
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
        sentence = self.slurm and "--parsable" not in arguments
        print(f"{'Submitted batch job ' * sentence}{number}{'' if self.slurm else SERVER}")
        return 0

    def refused(self, script: str) -> int:
        """OpenPBS's words about a form that is not its own, and their status (recordings: qsub-nodes-gpus, …)."""
        asked = dict(re.findall(r"^#PBS -l (\w+)=(\S+)", script, re.MULTILINE))
        if "gpus=" in asked.get("nodes", ""):
            return self.complain("qsub", {"openpbs": "node(s) specification error"}, 241)
        if {"nodes", "select"} <= asked.keys():
            return self.complain("qsub", {"openpbs": "Cannot be used with select or place: nodes"}, 6)
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

    def hold(self, folder: Path) -> None:
        """As `qhold` does with a job that waits."""
        (folder / "held").touch()

    def release(self, folder: Path) -> None:
        """As `qrls` does."""
        (folder / "held").unlink()

    @property
    def slurm(self) -> bool:
        return self.flavour == "slurm"

    def state(self, folder: Path) -> tuple[str, int | None]:
        """The letter and the exit status of a job."""
        if (folder / "status").exists():
            return "C", int((folder / "status").read_text())
        if (folder / "cancelled").exists():
            return "C", 271 if (folder / "pid").exists() else None
        waits = "H" if (folder / "held").exists() else "Q"
        return ("R" if (folder / "pid").exists() else waits), None

    def ended(self, folder: Path) -> int | None:
        """When the job was over (epoch seconds); None while it is not."""
        marks = [mark for mark in (folder / "status", folder / "cancelled") if mark.exists()]
        return int(marks[0].stat().st_mtime) if marks else None

    def cancel(self, names: list[str]) -> int:
        """Ends these jobs; the status is the last error's. `scancel` says nothing of what it does not know."""
        status = 0
        for name in (name for name in names if name[0].isdigit()):
            folder = self.jobs / name.partition(".")[0]
            if not folder.is_dir():
                unknown = {"torque": f"nonexistent job id: {name}", "openpbs": f"Unknown Job Id {full(name)}"}
                status = self.complain("qdel", unknown, 153) or status
            elif self.state(folder)[0] == "C":
                over = "Request invalid for state of job MSG=invalid state for job - COMPLETE"
                finished = {"torque": f"{over} {full(name)}", "openpbs": f"Job has finished {full(name)}"}
                status = self.complain("qdel", finished, {"torque": 170, "openpbs": 35}.get(self.flavour, 0)) or status
            else:
                self.end(folder)
        return status

    def end(self, folder: Path) -> None:
        (folder / "cancelled").touch()
        if (folder / "pid").exists() and not (folder / "status").exists():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int((folder / "pid").read_text()), signal.SIGKILL)

    def complain(self, program: str, said: dict[str, str], status: int) -> int:
        """Says it in this flavour's words, if it has any; the status that goes with it."""
        if self.flavour in said:
            print(f"{program}: {said[self.flavour]}", file=sys.stderr)
            return status
        return 0

    def known(self, names: list[str]) -> list[Path]:
        """The folders of these jobs, or of all; those that are just being made are none yet."""
        folders = [self.jobs / name.partition(".")[0] for name in names] or list(self.jobs.glob("*"))
        found = [folder for folder in folders if (folder / "job.json").exists()]
        return found if names else sorted(found, key=lambda folder: int(folder.name))

    def told(self, folders: list[Path]) -> list[Path]:
        """Those of them that an answer holds: all, unless it has been told to leave some out without a word."""
        chosen = {"first": folders[:1], "half": [folder for folder in folders if random.random() < 0.5]}
        return chosen.get(self.manners, folders)

    def shown(self, folder: Path) -> Shown:
        """One job, for an answer."""
        letter, status = self.state(folder)
        said = json.loads((folder / "job.json").read_text())
        script = (folder / "script").read_text()
        name = re.search(r"^#(?:PBS -N |SBATCH --job-name=)(\S+)", script, re.MULTILINE)
        walltime = re.search(r"^#(?:PBS -l .*\bwalltime=|SBATCH --time=)([0-9:]{8,})", script, re.MULTILINE)
        starts = folder / "starts"
        odd = folder.name == self.odd
        return Shown(
            id=folder.name if self.slurm else f"{folder.name}{SERVER}",
            letter=letter,
            name="inf" if odd else name[1] if name else "STDIN",
            user=USER,
            node=os.uname().nodename,
            tag=said["tag"],
            walltime=walltime[1] if walltime else "01:00:00",
            submitted=said["time"],
            started=int(starts.stat().st_mtime) if starts.exists() else said["time"],
            starts=int(starts.read_text()) if starts.exists() else 0,
            status=status,
            ended=self.ended(folder),
            odd={"A": "a&b<c>", "B": ".5", "C": "C:\\Users", "D": "007"} if odd else {},
        )

    def qstat(self, arguments: list[str]) -> int:
        names = [argument for argument in arguments if argument[0].isdigit()]
        status = 0
        for name in names:
            if not (self.jobs / name.partition(".")[0] / "job.json").exists() and not self.without_history(arguments):
                unknown = {"torque": f"Unknown Job Id Error {full(name)}", "openpbs": f"Unknown Job Id {full(name)}"}
                status = self.complain("qstat", unknown, 153)
        folders = self.known(names)
        if self.flavour == "openpbs":
            return self.openpbs(arguments, names, folders) or status
        self.torque(arguments, folders, by_id=bool(names))
        return status

    def without_history(self, arguments: list[str]) -> bool:
        """Whether finished jobs are asked for, which this server does not keep: it answers of no job at all then."""
        return self.flavour == "openpbs" and not self.history and "-x" in arguments

    def openpbs(self, arguments: list[str], names: list[str], folders: list[Path]) -> int:
        """One JSON object, or blocks of text; of a job that is over, where it is not asked for such, an error."""
        if self.without_history(arguments):
            for name in names:
                self.complain("qstat", {"openpbs": f"PBS is not configured to maintain job history {full(name)}"}, 0)
            folders = []
        status = 0
        over = [folder for folder in folders if "-x" not in arguments and self.state(folder)[0] == "C"]
        for folder in over if names else []:
            use = "Job has finished, use -x or -H to obtain historical job information"
            unknown = f"Unknown Job Id {full(folder.name)}"
            said = f"{full(folder.name)} {use}" if self.history else unknown
            status = self.complain("qstat", {"openpbs": said}, 35 if self.history else 153)
        left = [folder for folder in folders if folder not in over]
        left = self.told(left) if "json" in arguments or self.manners == "half" else left
        jobs = {job.id: words.openpbs(job, self.templates) for job in map(self.shown, left)}
        if "json" in arguments:
            sys.stdout.write(words.openpbs_json(SERVER[1:], jobs, int(time.time())))
        else:
            sys.stdout.write("".join(words.openpbs_text(job_id, given) for job_id, given in jobs.items()))
        return status

    def torque(self, arguments: list[str], folders: list[Path], *, by_id: bool) -> None:
        """One document for all jobs or, where ids are given, for each; with `-u` a table, if there is a job."""
        jobs = [self.shown(folder) for folder in self.told(folders)]
        if "-u" in arguments and jobs:
            rows = (f"{job.id:<23} {USER:<11} batch    {job.letter}" for job in jobs)
            print("", f"{SERVER[1:]}: ", f"{'Job ID':<23} {'Username':<11} Queue    S", *rows, sep="\n")
            return
        for part in [[job] for job in jobs] if by_id else [jobs]:
            inner = "".join(words.torque(job, self.templates) for job in part)
            print(f'<?xml version="1.0"?>\n<Data>{inner}</Data>')

    def qselect(self, arguments: list[str]) -> int:
        """The user's jobs that are not over."""
        for folder in self.known([]):
            if self.state(folder)[0] != "C" and USER in arguments:
                print(full(folder.name))
        return 0

    def squeue(self) -> int:
        jobs = [self.shown(folder) for folder in self.told(self.known([]))]
        somebody = {"user_name": "somebody", "job_state": "RUNNING", "name": "x" * 200}
        foreign = [{"job_id": 10**6 + number, **somebody} for number in range(self.foreign)]
        sys.stdout.write(words.squeue(jobs, foreign, self.templates["answer"], os.getuid()))
        return 0

    def scontrol(self, arguments: list[str]) -> int:
        """`scontrol -o show job [ID]`."""
        names = [argument for argument in arguments if argument[0].isdigit()]
        folders = self.known(names)
        if names and not folders:
            print("slurm_load_jobs error: Invalid job id specified", file=sys.stderr)
            return 1
        for folder in folders:
            sys.stdout.write(words.scontrol(self.shown(folder), self.templates["line"], os.getuid()))
        if not folders:
            print("No jobs in the system")
        return 0


def full(name: str) -> str:
    """An id with its server's name, as errors name it."""
    return name if "." in name else f"{name}{SERVER}"


def main(root: Path, program: str, arguments: list[str]) -> int:
    engine = Engine(root)
    if arguments == ["--version"]:
        versions = {"torque": "Version: 6.1.3.h5", "openpbs": "pbs_version = 23.06.06", "slurm": "slurm-wlm 22.05.8"}
        print(versions[engine.flavour])
        return 0
    if program in ("qsub", "sbatch"):
        return engine.submit(arguments)
    if program in ("qdel", "scancel"):
        return engine.cancel(arguments)
    operators = {"qrun": engine.start, "qrerun": engine.requeue, "qhold": engine.hold, "qrls": engine.release}
    if program in operators:
        operators[program](engine.jobs / arguments[0])
        return 0
    if program == "squeue":
        return engine.squeue()
    if program == "scontrol":
        return engine.scontrol(arguments)
    if program == "qselect":
        return engine.qselect(arguments)
    if "-Q" in arguments:
        attributes = {"queue_type": "Execution", "enabled": "True", "started": "True"}
        lines = "\n".join(f"    {name} = {value}" for name, value in attributes.items())
        print(json.dumps({"Queue": {"batch": attributes}}) if "json" in arguments else f"Queue: batch\n{lines}\n")
        return 0
    if program == "qstat" and "-B" not in arguments:
        return engine.qstat(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
