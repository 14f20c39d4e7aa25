"""Is there a batch system, and does it answer?"""

from __future__ import annotations

import asyncio
import shutil
import time
from typing import TYPE_CHECKING

from ..errors import QConnectError
from ..schedulers import Queue
from ..schedulers.commands import environment
from ..units import format_walltime
from .findings import WAIT_S, Finding, Level, rough

if TYPE_CHECKING:
    from ..schedulers.detect import Flavour
    from ..sessions.manager import SessionManager

COMMANDS = {
    "torque": ("qsub", "qstat", "qdel", "pbsnodes"),
    "openpbs": ("qsub", "qstat", "qdel", "qselect", "pbsnodes"),
    "slurm": ("sbatch", "squeue", "scancel", "sinfo", "scontrol"),
    "local": (),
}
"""What each batch system is spoken to with."""
ASK_BY_HAND = {"torque": "qstat -Q", "openpbs": "qstat -Q", "slurm": "sinfo", "local": "df"}


def batch_system(flavour: Flavour, chosen: str) -> list[Finding]:
    path = environment().get("PATH")
    missing = [name for name in COMMANDS[flavour.name] if not shutil.which(name, path=path)]
    level, advice = Level.OK, ""
    if chosen == "auto" and flavour.name == "local":
        mute = [name for name in ("qstat", "sbatch") if shutil.which(name, path=path)]
        level = Level.PROBLEM if mute else Level.WARNING
        advice = f"Run `{mute[0]} --version`: it must answer. " if mute else ""
        advice += "On a cluster, put the batch system's commands on PATH, or set c.QConnect.scheduler."
    if missing:
        level = Level.PROBLEM
        advice = f"Put {', '.join(missing)} on PATH ({path}), and see that they may be run."
    lacks = f" Not found: {', '.join(missing)}." if missing else ""
    return [Finding("batch system", level, f"{flavour.name}. {flavour.why}{lacks}", advice)]


async def batch_answers(manager: SessionManager, name: str) -> list[Finding]:
    check, advice = "batch answers", f"Run `{ASK_BY_HAND[name]}` by hand. Sessions keep their last state meanwhile."
    began = time.monotonic()
    try:
        queues = await asyncio.wait_for(manager.queues.known(), WAIT_S)
    except asyncio.TimeoutError:
        found = f"The batch system did not answer within {WAIT_S:g} seconds."
        return [Finding(check, Level.PROBLEM, found, advice)]
    except QConnectError as error:
        return [Finding(check, Level.PROBLEM, error.message, advice)]
    took = time.monotonic() - began
    if not any(queue.enabled and queue.started for queue in queues):
        found = f"None of its {len(queues)} queues takes and runs jobs for you."
        return [Finding(check, Level.PROBLEM, found, "Ask your administrators for a queue that does.")]
    words = "; ".join(_queue(queue) for queue in queues)
    return [Finding(check, Level.OK, f"The queues were told in {took:.1f} s: {words}.")]


def _queue(queue: Queue) -> str:
    """A queue with what it allows a job."""
    limits = [format_walltime(queue.max_walltime_s)] if queue.max_walltime_s else []
    limits += [f"{cores} cores"] if (cores := queue.max_cores or queue.node_cores) else []
    limits += [rough(memory)] if (memory := queue.max_memory or queue.node_memory) else []
    limits += [] if queue.enabled and queue.started else ["closed"]
    default = " (the default)" if queue.default else ""
    return f"{queue.name}{default}" + (f" up to {', '.join(limits)}" if limits else "")
