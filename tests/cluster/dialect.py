"""Recorded commands of a real TORQUE, run again on the test cluster, and what of the answers must be the same."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import unified_diff
from subprocess import CompletedProcess
from typing import Any

from tests.cluster.batch import Torque
from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY

DATA = REPOSITORY / "tests/data/recordings"
CASES: dict[str, Any] = {
    name: case
    for file in ("torque-6.1.3.h5", "torque-6.1.3.h5-jobs")
    for name, case in json.loads((DATA / f"{file}.json").read_text()).items()
}
HERE = {"torquehead": "qc-login", "tqnode1": "qc-node01", "tqnode2": "qc-node02", "vm": "qc-login"}
DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +[0-9]{1,2}"
LOOSE = [
    (r"\n\t", ""),  # where lines are folded depends on the length of names: test_torque_listing has the folding
    (rf"{DAY} [0-9:]{{8}} [0-9]{{4}}", "DATE"),
    (rf"{DAY} at [0-9:]{{5}}", "DATE"),
    (r"\b[0-9]+\.qc-login", "ID"),
    (r"\b[0-9]{10}\b", "SECONDS"),
    (r"status = .*", "status = STATUS"),
    (r"(opsys=)[^<]*", r"\1STATUS"),
    (r"(session_id(?: = |>))[0-9]+", r"\1N"),
    (r"(total_runtime(?: = |>))[0-9.]+", r"\1N"),
    (r"(Walltime\.(?:Remaining|Exceeded) = |<Remaining>)-?[0-9]+", r"\1N"),
    (r"(resources_used\.[a-z_]+ = )[0-9:]+(kb)?", r"\1N"),
    (r"(<(?:cput|vmem|mem|energy_used)>)[0-9:]+(kb)?", r"\1N"),
    (r"((?:Error|Output)_Path(?: = |>)[^.\n]*\.[oe])[0-9]+", r"\1N"),
    (r"( +resources_used\.[a-z_]+ = N\n)+", "  resources_used\n"),  # recorded in two orders
    (r"PBS_JOBCOOKIE=[0-9A-F]{32}", "PBS_JOBCOOKIE=COOKIE"),
    (r" {2,}", "  "),  # columns: test_torque_listing
    (r"-{2,}", "--"),
]


@dataclass
class Recorded:
    """One case: the user, the shell command, its standard input and what it answered."""

    user: str
    command: str
    stdin: str
    status: int
    out: str
    err: str


def recorded(case: str) -> Recorded:
    data = CASES[case]
    first, *rest = data["command"].splitlines()
    command, _, stdin = "\n".join(rest).partition("\n# stdin:\n")
    user = re.match(r"# as ([a-z]+),", first)
    assert user
    return Recorded(user[1], command, f"{stdin}\n" if stdin else "", data["status"], data["out"], data["err"])


def here(text: str) -> str:
    """Names of hosts as they are on the cluster."""
    return re.sub(rf"\b({'|'.join(HERE)})(?=\b|gpu|mic)", lambda found: HERE[found[1]], text)


def loose(text: str) -> str:
    """Without what differs from run to run."""
    text = here(text)
    for pattern, plain in LOOSE:
        text = re.sub(pattern, plain, text)
    return text.strip(" ")


@dataclass
class Replay:
    """Runs recorded cases against the cluster's TORQUE; `ids` maps recorded job numbers to those of now."""

    torque: Torque
    ids: dict[str, str]

    def run(self, case: str, **kw: Any) -> CompletedProcess[str]:
        """The case's command, now."""
        asked = recorded(case)
        command = re.sub(r"\b[0-9]+(?=\.torquehead)|\b[0-9]+$", lambda n: self.ids.get(n[0], n[0]), asked.command)
        where = {"input": asked.stdin} if asked.stdin else {}
        return self.torque.run(here(command), asked.user, check=False, **where, **kw)

    def same(self, case: str, **kw: Any) -> None:
        """Runs the case; status, output and errors must be as recorded."""
        done, asked = self.run(case, **kw), recorded(case)
        now, then = (
            [f"status {one[0]}", *loose(one[1]).splitlines(), "errors:", *loose(one[2]).splitlines()]
            for one in ((done.returncode, done.stdout, done.stderr), (asked.status, asked.out, asked.err))
        )
        assert now == then, "\n".join([case, *unified_diff(then, now, "recorded", "now", lineterm="", n=0)])

    def submit(self, case: str) -> str:
        """Runs a qsub that was accepted; the new job's number stands for the recorded one from now on."""
        done, old = self.run(case), recorded(case).out.partition(".")[0]
        assert (done.returncode, done.stderr) == (0, ""), case
        assert loose(done.stdout) == "ID\n"
        self.ids[old] = done.stdout.partition(".")[0]
        return self.ids[old]

    def wait(self, number: str, state: str, timeout: float = 20) -> None:
        """Until qstat shows the job in this state."""

        def shown() -> bool:
            done = self.torque.run(["qstat", "-f", number], check=False)
            return f"job_state = {state}\n" in done.stdout

        eventually(shown, timeout, f"{state} of job {number}; server's log: {self.torque.log()[-2000:]}")
