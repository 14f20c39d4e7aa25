"""What Slurm's states, flags and reasons mean: a state of ours, words for the user, why a job ended."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...values.job import JobState

# squeue(1), JOB STATE CODES, and the flags that newer versions list behind the base state (slurm.h, JOB_STATE_FLAGS).
# COMPLETING still has processes on its node; CONFIGURING waits for nodes that boot.
JOB_STATES = {
    "PENDING": JobState.QUEUED,
    "CONFIGURING": JobState.QUEUED,
    "POWER_UP_NODE": JobState.QUEUED,
    "REQUEUED": JobState.QUEUED,
    "REQUEUE_FED": JobState.QUEUED,
    "REQUEUE_HOLD": JobState.HELD,
    "RESV_DEL_HOLD": JobState.HELD,
    "SPECIAL_EXIT": JobState.HELD,
    "RUNNING": JobState.RUNNING,
    "COMPLETING": JobState.RUNNING,
    "SIGNALING": JobState.RUNNING,
    "STAGE_OUT": JobState.RUNNING,
    "RESIZING": JobState.RUNNING,
    "EXPEDITING": JobState.QUEUED,
    "SUSPENDED": JobState.SUSPENDED,
    "STOPPED": JobState.SUSPENDED,
    "COMPLETED": JobState.COMPLETED,
    "CANCELLED": JobState.COMPLETED,
    "FAILED": JobState.COMPLETED,
    "TIMEOUT": JobState.COMPLETED,
    "DEADLINE": JobState.COMPLETED,
    "OUT_OF_MEMORY": JobState.COMPLETED,
    "NODE_FAIL": JobState.COMPLETED,
    "BOOT_FAIL": JobState.COMPLETED,
    "LAUNCH_FAILED": JobState.COMPLETED,
    "RECONFIG_FAIL": JobState.COMPLETED,
    "PREEMPTED": JobState.COMPLETED,
    "REVOKED": JobState.COMPLETED,
}
FIRST = (
    "COMPLETING",
    "REQUEUE_HOLD",
    "SPECIAL_EXIT",
    "RESV_DEL_HOLD",
    "REQUEUED",
    "REQUEUE_FED",
    "CONFIGURING",
    "POWER_UP_NODE",
    "STOPPED",
    "SUSPENDED",
)
"""Flags that say more than the base state that they are listed with."""
CAUSES = {
    "LAUNCH_FAILED": "not-started",
    "RECONFIG_FAIL": "not-started",
    "CANCELLED": "cancelled",
    "REVOKED": "cancelled",
    "TIMEOUT": "walltime",
    "DEADLINE": "walltime",
    "OUT_OF_MEMORY": "memory",
    "NODE_FAIL": "node-failed",
    "BOOT_FAIL": "node-failed",
    "PREEMPTED": "preempted",
}
ENDED_BECAUSE = {
    "JobLaunchFailure": "not-started",
    "launch_failed": "not-started",
    "TimeLimit": "walltime",
    "OutOfMemory": "memory",
    "NodeDown": "node-failed",
}
"""What the reason of a FAILED job adds."""
WAITS = {
    "Priority": "other jobs come first",
    "Resources": "it waits for free nodes",
    "Dependency": "it waits for another job",
    "DependencyNeverSatisfied": "the job that it waits for did not end as it must, and it will not start; stop it",
    "Licenses": "it waits for a licence",
    "Reservation": "it waits for its reservation to begin",
    "Prolog": "its node is being prepared",
    "Cleaning": "its last run is being cleaned up",
    "NodeDown": "its node is down",
    "ReqNodeNotAvail": "a node that it asks for is not available",
    "PartitionDown": "its partition is closed just now",
    "PartitionInactive": "its partition is closed just now",
    "PartitionTimeLimit": "it asks for more time than its partition allows, and will not start",
    "PartitionNodeLimit": "it asks for more nodes than its partition allows, and will not start",
    "PartitionConfig": "its partition cannot give what it asks for, and it will not start",
    "BadConstraints": "no node has what it asks for, and it will not start; stop it and ask for something else",
    "MaxMemPerLimit": "it asks for more memory than it may, and will not start; stop it and ask for less",
    "InvalidAccount": "its account is not valid, and it will not start; stop it and choose another",
    "AccountNotAllowed": "its account may not use its partition; stop it and choose another",
    "InvalidQOS": "its QOS is not valid, and it will not start; stop it and choose another",
    "QOSNotAllowed": "its QOS may not use its partition; stop it and choose another",
    "QOSMaxJobsPerUserLimit": "you have as many running jobs as you may",
    "AssocMaxJobsLimit": "your account has as many running jobs as it may",
    "JobArrayTaskLimit": "as many of its array run as may",
}
HELD = {
    "JobHeldUser": "its user holds it; `scontrol release` lets it go",
    "JobHeldAdmin": "an operator holds it; ask your administrator",
    "BeginTime": "it waits for the time that it was submitted for",
    "JobHoldMaxRequeue": "it was started and failed too often, so Slurm holds it; stop it and start it anew",
    "ReservationDeleted": "its reservation is gone, so Slurm holds it; stop it and start it anew without",
    "launch_failed_requeued_held": "its node could not start it, so Slurm holds it; release it (`scontrol release`) or "
    "stop it and start it anew",
    "user_env_retrieval_failed_requeued_held": "its node could not read your login's environment, so Slurm holds it; "
    "look for something slow in your ~/.bash_profile, then release it (`scontrol release`) or stop it",
    "job_requeued_in_held_state": "it was put back into the queue and is held; `scontrol release` lets it go",
}
GROUPS = (
    (re.compile(r"Assoc(?:Grp|Max).*Limit"), "your account has as much as it may"),
    (re.compile(r"QOS(?:Grp|Max).*(?:Limit|PerUser|PerAccount|PerJob)"), "its QOS gives you no more at a time"),
)
"""Reasons of which there are dozens, one for each resource."""


def state_of(states: Sequence[str], why: str) -> tuple[str, JobState]:
    """The word that counts among a job's state and flags, and what it means; a word of tomorrow is UNKNOWN."""
    known = [word for word in states if word in JOB_STATES]
    word = next((word for word in FIRST if word in known), known[0] if known else "")
    state = JOB_STATES.get(word, JobState.UNKNOWN)
    held = state is JobState.QUEUED and (_name(why) in HELD or _name(why).endswith("_held"))
    return word, JobState.HELD if held else state


def cause(states: Sequence[str], why: str) -> str | None:
    """Why it ended, for sessions/describe; None when only its exit status tells."""
    found = next((CAUSES[word] for word in CAUSES if word in states), None)
    return found or (ENDED_BECAUSE.get(_name(why)) if "FAILED" in states else None)


def reason(why: str) -> str | None:
    """Why it waits: Slurm's word, and what it means."""
    name = _name(why)
    if name in ("", "None"):
        return None
    group = next((words for pattern, words in GROUPS if pattern.fullmatch(name)), None)
    meaning = HELD.get(name) or WAITS.get(name) or group
    return f"{why[:300]} ({meaning})" if meaning else why[:300]


def _name(why: str) -> str:
    """The reason's own word: some have more behind a comma, and older releases write blanks for underscores."""
    return re.split(r"[,(:]", why.strip("() "), maxsplit=1)[0].strip().replace(" ", "_")
