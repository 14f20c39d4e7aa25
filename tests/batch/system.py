"""The batch system of programs: put on a server's PATH, told to misbehave, and looked into."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.batch.templates import templates
from tests.support.servers import JupyterServer

HERE = Path(__file__).parent
PROGRAMS = {
    "torque": ("qsub", "qstat", "qdel", "pbsnodes"),
    "openpbs": ("qsub", "qstat", "qdel", "qselect", "pbsnodes"),
    "slurm": ("sbatch", "squeue", "scancel", "sinfo", "scontrol"),
}
SUBMIT = {"torque": "qsub", "openpbs": "qsub", "slurm": "sbatch"}
QUERY = {"torque": "qstat", "openpbs": "qstat", "slurm": "squeue"}
CANCEL = {"torque": "qdel", "openpbs": "qdel", "slurm": "scancel"}


@dataclass(frozen=True)
class Call:
    """One call of a program: when (epoch seconds), its process id, its words."""

    time: float
    pid: int
    words: tuple[str, ...]


class BatchSystem:
    """Programs below `root`/bin, with their jobs and faults beside it."""

    def __init__(self, root: Path, flavour: str) -> None:
        self.root, self.flavour = root, flavour
        for folder in ("bin", "faults", "jobs"):
            (root / folder).mkdir(parents=True)
        (root / "flavour").write_text(flavour)
        (root / "engine.py").symlink_to(HERE / "engine.py")
        (root / "python").symlink_to(sys.executable)
        (root / "templates.json").write_text(json.dumps(templates(flavour)))
        front = (HERE / "front.sh").read_text()
        for name in PROGRAMS[flavour]:
            program = root / "bin" / name
            program.write_text(front)
            program.chmod(0o755)

    def fault(self, program: str, bash: str) -> None:
        """From now on this piece of bash runs first, whenever the program is called."""
        new = self.root / "faults" / f".{program}"
        new.write_text(bash)
        new.rename(self.root / "faults" / program)

    def well(self, *programs: str) -> None:
        """From now on these programs, or all, do what they should."""
        for program in programs or PROGRAMS[self.flavour]:
            (self.root / "faults" / program).unlink(missing_ok=True)

    def pause(self) -> None:
        """Jobs that are submitted from now on wait for ever."""
        (self.root / "paused").touch()

    def keep_no_history(self) -> None:
        """As OpenPBS is installed, `job_history_enable` unset: jobs that are over are unknown, and `-x` is refused."""
        (self.root / "no-history").touch()

    def leave_out(self, manners: str) -> None:
        """Answers hold their `first` job only (OpenPBS: in JSON), or each job by `half` a chance; the status is 0."""
        (self.root / "manners").write_text(manners)

    def make_odd(self, number: str) -> None:
        """The name and the variables of one job are no JSON and no XML from now on."""
        (self.root / "odd").write_text(number)

    def operate(self, program: str, number: str) -> None:
        """What an operator does: `qrerun` lets a running job wait again, `qrun` starts a waiting one, `qhold` holds it,
        `qrls` releases it, `qdel` ends it."""
        argv = [sys.executable, "-IS", str(HERE / "engine.py"), str(self.root), program, number]
        subprocess.run(argv, check=True, timeout=30)

    def calls(self, program: str | None = None, since: float = 0.0) -> list[Call]:
        """What was called, in order."""
        path = self.root / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        found = [
            Call(float(when), int(pid), tuple(words.split())) for when, pid, words in (x.split(" ", 2) for x in lines)
        ]
        return [call for call in found if call.time >= since and program in (None, call.words[0])]

    def jobs(self) -> list[Path]:
        """The folders of all jobs that were ever taken."""
        return sorted((self.root / "jobs").glob("*"), key=lambda path: int(path.name))

    def living(self) -> list[str]:
        """The numbers of the jobs that are neither over nor cancelled."""
        return [job.name for job in self.jobs() if not (job / "status").exists() and not (job / "cancelled").exists()]

    def alive(self, program: str) -> int:
        """How many calls of a program are running now."""
        return sum(running(call.pid) for call in self.calls(program))


def running(pid: int) -> bool:
    """Whether such a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def server_of(home: Path, system: BatchSystem, questions: int = 5, **knobs: object) -> JupyterServer:
    """A Jupyter server whose jobs go to this batch system, which it may ask so often a minute.

    `knobs` are hurried_server's.
    """
    site = {"scheduler": "auto", "max_starts_per_minute": 0, "max_questions_per_minute": questions}
    server = JupyterServer(home, config={"QConnect": site})
    server.programs = system.root / "bin"
    if knobs:
        (home / "knobs.py").write_text("".join(f"{name} = {value!r}\n" for name, value in knobs.items()))
        server.wrapper = HERE.parent / "support/hurried_server.py"
    return server
