"""Jobs as the real batch systems print them, out of the recordings: what the programs fill in for their own jobs."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.recordings import OPENPBS, SLURM, TORQUE, recorded

ENDS = ("obittime", "Stageout_status", "Exit_status", "history_timestamp")
"""What OpenPBS adds when a job is over."""


def templates(flavour: str) -> dict[str, Any]:
    """A job's text by its state's letter (TORQUE), its members (OpenPBS), or the whole answer about one (Slurm)."""
    if flavour == "torque":
        found = {}
        for case in ("qstat-x-QRCEH", "qstat-x-all", "qstat-x-three-ids"):
            for job in re.findall(r"<Job>.*?</Job>", recorded(TORQUE, case).out, re.DOTALL):
                if "[" not in job.partition("</Job_Id>")[0]:
                    found[job.partition("<job_state>")[2][0]] = job
        return {letter: found[letter] for letter in "QHRC"}
    if flavour == "openpbs":
        known = json.loads(recorded(OPENPBS, "qstat-f-json-all").out)["Jobs"]
        waiting, held = known["5.torquehead"], known["9.torquehead"]
        over = json.loads(recorded(OPENPBS, "json-walltime-over").out)["Jobs"]["56.pbshead"]
        running = {name: value for name, value in over.items() if name not in ENDS}
        return {"Q": waiting, "H": held, "R": running, "F": over}
    answer = json.loads(recorded(SLURM, "squeue_json").out)
    return {"answer": {**answer, "jobs": answer["jobs"][:1]}, "line": recorded(SLURM, "scontrol_job_o").out}
