"""Slurm's words: argument lists, and what its refusals mean. Pure and total (see pbs/common).

Clusters number their jobs alike. A job of one that Slurm named when it took the job (SLURM_CLUSTERS, `--clusters`) is
`NUMBER.CLUSTER` here, and every command about it goes to that cluster.
"""

from __future__ import annotations

import re

from ...errors import BadRequest, SchedulerFailed, SchedulerUnavailable
from ..commands import Done
from ..pbs.common import TAG, checked_key
from ..refusal import meaning, unread
from .refusals import SUBMIT_REFUSALS

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
SENTENCE = re.compile(r"\bSubmitted batch job ([0-9]{1,10})\b(?![.][0-9])", re.IGNORECASE)
PARSABLE = re.compile(r"([0-9]{1,10})(?:;\S+)?")
WITH_CLUSTER = re.compile(r"^([0-9]{1,10});[A-Za-z]\S*\s*$", re.MULTILINE)
CLUSTER = r"[A-Za-z][A-Za-z0-9_.-]{0,62}"
ON_CLUSTER = re.compile(
    rf"^[0-9]{{1,10}};({CLUSTER})\s*$|\bSubmitted batch job [0-9]{{1,10}} on cluster ({CLUSTER})\s*$", re.MULTILINE
)
QUEUES_FIELDS = ("R", "P", "a", "l", "c", "m", "C", "s", "G")
NUMBER = re.compile(r"[0-9]{1,10}")
JOB_ID = re.compile(rf"[0-9]{{1,10}}(?:\.{CLUSTER})?")


# ------------------------------------------------------------------ argument lists
def submit_argv(session: str) -> list[str]:
    """`sbatch` with the script on its input; only the tag goes along, and the job has the environment of a login."""
    key = checked_key(session)
    return ["sbatch", "--parsable", f"--comment={TAG}={key}", f"--export={TAG}={key}"]


def query_argv(uid: int, cluster: str = "") -> list[str]:
    """All the user's jobs: 22.05 tells of everybody's, whatever it is asked (squeue(1), --json)."""
    return ["squeue", *at(cluster), "--json", "--states=all", f"--user={uid}"]


def lines_argv(cluster: str = "") -> list[str]:
    """All jobs of everybody, where there is no JSON."""
    return ["scontrol", *at(cluster), "-o", "show", "job"]


def alone_argv(job_id: str) -> list[str]:
    """One job; an id that Slurm does not know is an error then, and not just left out."""
    return [*lines_argv(cluster_of(job_id)), number_of(job_id)]


QUEUES_ARGV = ["sinfo", "--noheader", "--exact", "--format=" + "|".join(f"%{field}" for field in QUEUES_FIELDS)]


def cancel_argv(job_id: str) -> list[str]:
    """Without the cluster, `scancel` would end the jobs of this number on all that SLURM_CLUSTERS names."""
    return ["scancel", *at(cluster_of(job_id)), number_of(job_id)]


def at(cluster: str) -> list[str]:
    """The option that sends a command to a cluster; "" is whichever it goes to by itself."""
    return [f"--clusters={cluster}"] if cluster else []


def cluster_of(job_id: str) -> str:
    """The cluster that an id names, or "" where it names none; raises BadRequest for what is no id."""
    return checked_id(job_id).partition(".")[2]


def number_of(job_id: str) -> str:
    """A job's number on its cluster; raises BadRequest for what is no id."""
    return checked_id(job_id).partition(".")[0]


def on(cluster: str, number: str) -> str:
    """The id of a cluster's job."""
    return f"{number}.{cluster}" if cluster else number


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
    """The id that `sbatch --parsable` printed (`6`, or `6;cluster`), or told in a sentence, as some sites' do.

    Raises SchedulerUnavailable where there may be a job, though not which, and SchedulerFailed where there is none.
    """
    if len(found := told_ids(done)) == 1:
        return found.pop()
    if done.status == 0 or not (done.out.strip() or done.err.strip()):
        raise unread("sbatch", done)
    if silent(done):
        raise SchedulerUnavailable(f"Slurm does not answer. It says: {done.words}")
    if row := meaning(done.err or done.out, SUBMIT_REFUSALS):
        raise row.refused(f"{row.sentence} Slurm says: {done.words}")
    raise SchedulerFailed(f"Slurm did not take the job. It says: {done.words}", reason="refused")


def told_cluster(done: Done) -> str:
    """The cluster that `sbatch` said it gave the job to, or "": it says so where it could choose."""
    found = ON_CLUSTER.search(f"{done.out}\n{done.err}")
    return (found[1] or found[2]) if found else ""


def told_ids(done: Done) -> set[str]:
    """The ids that a submission told of; a number on a line among others is none, since sites print quotas."""
    if sentences := set(SENTENCE.findall(f"{done.out}\n{done.err}")):
        return sentences
    if done.status:
        return set()
    whole = PARSABLE.fullmatch(done.out.strip())
    return {whole[1]} if whole else set(WITH_CLUSTER.findall(done.out))


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
