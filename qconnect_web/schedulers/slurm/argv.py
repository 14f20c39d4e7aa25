"""Slurm's words: argument lists, and what its refusals mean. Pure and total (see pbs/common)."""

from __future__ import annotations

import re

from ...errors import BadRequest, SchedulerFailed, SchedulerUnavailable
from ..commands import Done
from ..pbs.common import TAG, checked_key

SERVER_SILENT = re.compile(
    r"Unable to contact slurm controller|Socket timed out|connect failure|Communication connection failure"
    r"|Connection (?:refused|timed out|reset)|Zero Bytes were transmitted|Transport endpoint|timed out"
    r"|Unable to establish|temporarily unable|Problem loading jobs|Invalid authentication"
    r"|Protocol authentication error|[Mm]unge"
)
UNKNOWN_ID = re.compile(r"Invalid job id", re.IGNORECASE)
NO_JSON = re.compile(
    r"(?:unrecognized option|invalid option|Unknown option).*json|json.*(?:not|unable|plugin)", re.IGNORECASE
)
SUBMIT_REFUSALS: tuple[tuple[str, str, str], ...] = (
    (r"[Ii]nvalid partition", "unknown-queue", "There is no such partition. Choose another one, or leave it out."),
    (
        r"partition.*(?:not available|is down|inactive|drained)",
        "queue-closed",
        "The partition takes no jobs now. Choose another one.",
    ),
    (
        r"User's group not permitted|not permitted to use this partition|access.*partition",
        "queue-not-yours",
        "The partition is not open to you. Choose another one, or ask your administrator.",
    ),
    (
        r"[Ii]nvalid account|account/partition|[Ii]nvalid qos",
        "account",
        "The account is not accepted. Choose one that you may charge jobs to.",
    ),
    (r"time limit", "limits", "It asks for more walltime than the partition allows. Ask for less."),
    (
        r"node configuration is not available|[Mm]emory (?:required|specification)|[Nn]ode count|CPU count"
        r"|More processors",
        "limits",
        "It asks for more than any node of the partition has: nodes, cores or memory. Ask for less.",
    ),
    (
        r"MaxSubmit|submit limit|QOS.*[Ll]imit|accounting/QOS policy",
        "too-many-jobs",
        "You have as many jobs as the batch "
        "system allows, or ask for more than your account may have. End one, or ask for less.",
    ),
    (
        r"[Ii]nvalid generic resource|gres|GRES",
        "limits",
        "The GPUs are not there. Ask for fewer, or for another partition.",
    ),
    (
        r"unrecognized option|invalid option|Unrecognized|Invalid --|script is empty|requires an argument",
        "bad-option",
        "Slurm does not understand one of the job's options. Look at the site's and the app's native options.",
    ),
    (
        r"[Aa]ccess/permission denied|not allowed to submit|Invalid user",
        "not-a-submit-host",
        "Jobs may not be submitted from this machine or by this user. Ask your administrator.",
    ),
)
QUEUES_FIELDS = ("R", "P", "a", "l", "c", "m", "C", "s")
JOB_ID = re.compile(r"[0-9]{1,10}")


# ------------------------------------------------------------------ argument lists
def submit_argv(session: str) -> list[str]:
    """`sbatch` with the script on its input; only the tag goes along, and the job has the environment of a login."""
    key = checked_key(session)
    return ["sbatch", "--parsable", f"--comment={TAG}={key}", f"--export={TAG}={key}"]


def query_argv(uid: int) -> list[str]:
    """All the user's jobs: 22.05 tells of everybody's, whatever it is asked (squeue(1), --json)."""
    return ["squeue", "--json", "--states=all", f"--user={uid}"]


LINES_ARGV = ["scontrol", "-o", "show", "job"]


def alone_argv(job_id: str) -> list[str]:
    """One job; an id that Slurm does not know is an error then, and not just left out."""
    return [*LINES_ARGV, checked_id(job_id)]


QUEUES_ARGV = ["sinfo", "--noheader", "--exact", "--format=" + "|".join(f"%{field}" for field in QUEUES_FIELDS)]


def cancel_argv(job_id: str) -> list[str]:
    return ["scancel", checked_id(job_id)]


def checked_id(job_id: str) -> str:
    """A job id for an argument list; raises BadRequest for what is none, and for arrays."""
    if re.fullmatch(r"[0-9]{1,10}[_+\[].*", job_id):
        raise BadRequest(
            f"{job_id[:40]} is part of a set of jobs, and a session is one job. Name it by its own number."
        )
    if not JOB_ID.fullmatch(job_id):
        raise BadRequest(f"{job_id[:40]!r} is not a job id of Slurm. Write it as Slurm prints it, like 123.")
    return job_id


# ------------------------------------------------------------------ answers
def job_id_of(done: Done) -> str:
    """The id that `sbatch --parsable` printed (`6`, or `6;cluster`); raises SchedulerFailed."""
    found = re.search(r"^([0-9]{1,10})(?:;\S+)?\s*$", done.out, re.MULTILINE)
    if done.status == 0 and found:
        return found[1]
    if done.status == 0 or silent(done):
        raise SchedulerUnavailable(f"Slurm does not answer, or not with a job id. It says: {done.words}")
    for pattern, reason, sentence in SUBMIT_REFUSALS:
        if re.search(pattern, done.err):
            raise SchedulerFailed(f"{sentence} Slurm says: {done.words}", reason=reason)
    raise SchedulerFailed(f"Slurm did not take the job. It says: {done.words}", reason="refused")


def silent(done: Done) -> bool:
    """Whether nobody answered the command: unknown, never "gone"."""
    return bool(SERVER_SILENT.search(done.err)) or done.status < 0


def check_cancelled(done: Done) -> None:
    """Raises SchedulerUnavailable, SchedulerFailed unless `scancel` did it, or the job was over or unknown already."""
    if done.status == 0 or UNKNOWN_ID.search(done.err) or "already complet" in done.err:
        return
    if silent(done):
        raise SchedulerUnavailable(f"Slurm does not answer, so nothing was ended. It says: {done.words}")
    raise SchedulerFailed(f"Slurm did not end the job. It says: {done.words}", reason="not-ended")


def no_json(done: Done) -> bool:
    """Whether this Slurm was built without JSON."""
    return bool(done.status and NO_JSON.search(done.err))


def unknown_id(done: Done) -> bool:
    """Whether the job that was asked about by itself is named as unknown."""
    return bool(done.status and UNKNOWN_ID.search(done.err))


def check_answer(done: Done) -> None:
    """Raises SchedulerUnavailable, SchedulerFailed for an answer that cannot be believed."""
    if done.status or not done.out.strip():
        kind = SchedulerUnavailable if silent(done) else SchedulerFailed
        raise kind(f"Slurm could not be asked about your jobs. It says: {done.words}")


def check_errors(told: list[object], jobs: bool) -> None:
    """Raises SchedulerUnavailable, SchedulerFailed for errors that stand in the answers themselves, without a job."""
    errors = [error for given in told if isinstance(given, list) for error in given if isinstance(error, dict)]
    words = " / ".join(dict.fromkeys(str(error.get("description") or error.get("error")) for error in errors))[:600]
    if words and not jobs:
        kind = SchedulerUnavailable if SERVER_SILENT.search(words) else SchedulerFailed
        raise kind(f"Slurm could not be asked about your jobs. It says: {words}")


def limit(text: str) -> int | None:
    """Seconds of `1-00:00:00`, `12:00:00`, `30:00`, or None for UNLIMITED and the like."""
    found = re.fullmatch(r"(?:([0-9]{1,6})-)?(?:([0-9]{1,4}):)?([0-9]{1,6}):([0-9]{2})", text.strip())
    if not found:
        return None
    days, hours, minutes_, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes_) * 60 + seconds
