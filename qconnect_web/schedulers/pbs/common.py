"""What TORQUE and OpenPBS have in common: their argument lists, and how their job states, hosts and errors read.

Every function is pure; parsers are total: whatever they are given, they return what can be told of it or raise one of
the package's own errors. Facts: torque.md and the recordings of TORQUE 6.1.3 and OpenPBS 23.06 (tests/data).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...errors import BadRequest, SchedulerFailed, SchedulerUnavailable
from ...values.job import JOB_ID, Job, JobState, same_job
from ..commands import Done
from .refusals import silent

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
TAG = "QCONNECT_SESSION"
AMONG_VARIABLES = re.compile(rf"(?:^|,){TAG}=({KEY.pattern})(?:,|$)")
TIME = re.compile(r"(?:[0-9]{1,9}:){0,3}[0-9]{1,9}")
HOST = re.compile(r"\s*\(?([A-Za-z0-9][A-Za-z0-9._-]*)")
MAX_IDS = 500
"""Ids of one question: an argument list is bounded."""

# qstat(1B) of both. E is exiting: it still holds its node. T is on its way to a queue or server, W waits for its time.
# OpenPBS: B is an array that has begun, F finished, X a finished element, U suspended by the node's own user,
# M moved to another server, which only that one can be asked about.
JOB_STATES = {
    "Q": JobState.QUEUED,
    "H": JobState.HELD,
    "T": JobState.QUEUED,
    "W": JobState.HELD,
    "R": JobState.RUNNING,
    "B": JobState.RUNNING,
    "E": JobState.RUNNING,
    "S": JobState.SUSPENDED,
    "U": JobState.SUSPENDED,
    "C": JobState.COMPLETED,
    "F": JobState.COMPLETED,
    "X": JobState.COMPLETED,
    "M": JobState.UNKNOWN,
}
STATE_WORDS = {
    "W": "It waits for the time that it was submitted for.",
    "T": "It is being moved to another queue.",
    "M": "It was moved to another server.",
    "U": "The node's own user is working there.",
}
HOLD_WORDS = {
    "u": "Its user holds it; `qrls` lets it go.",
    "o": "An operator holds it; ask your administrator.",
    "s": "The system holds it, as it does with a job that could not be started; stop it and start it anew.",
    "p": "The system holds it because of a password that is wrong or out of date; ask your administrator.",
}
"""Hold_Types of a held job (qstat(1B); `p` is OpenPBS's)."""

UNKNOWN_ID = re.compile(r"(?:Unknown Job Id(?: Error)?|nonexistent job id:|Job has finished)\s+(\S+)", re.IGNORECASE)
FINISHED_ID = re.compile(r"qstat:\s+(\S+) Job has finished", re.IGNORECASE)


# ------------------------------------------------------------------ argument lists
def submit_argv(session: str) -> list[str]:
    """`qsub` with the script on its input and the session's tag; all else stands in the script."""
    return ["qsub", "-v", f"{TAG}={checked_key(session)}"]


def cancel_argv(job_id: str) -> list[str]:
    return ["qdel", checked_id(job_id)]


def checked_key(session: str) -> str:
    """The session key, for an argument list; raises BadRequest for what cannot be one."""
    if not KEY.fullmatch(session):
        raise BadRequest(f"{session[:40]!r} is not a session's key.")
    return session


def checked_id(job_id: str) -> str:
    """A job id for an argument list, exactly as the batch system printed it; raises BadRequest for what is none."""
    if not JOB_ID.fullmatch(job_id):
        raise BadRequest(f"{job_id[:40]!r} is not a job id. Write it as the batch system prints it, like 123.server.")
    if "[]" in job_id:  # `qstat -x '46[]'` lists all jobs, not the array (torque.md, Listing)
        raise BadRequest(
            f"{job_id} is an array of jobs, and a session is one job. Name one of them, like 46[1].server."
        )
    return job_id


def askable(job_ids: Iterable[str]) -> list[str]:
    """The ids that can be asked about."""
    return [job_id for job_id in job_ids if JOB_ID.fullmatch(job_id) and "[]" not in job_id]


def check_submission(script: str) -> None:
    """Raises SchedulerFailed for an empty script, which TORQUE accepts and loses."""
    if not script.strip():
        raise SchedulerFailed("The job script is empty, so it was not submitted.", reason="empty-script")


# ------------------------------------------------------------------ answers
def unknown_ids(done: Done) -> set[str]:
    """The ids that the batch system says it does not know."""
    return {name.rstrip(",.;") for name in (*UNKNOWN_ID.findall(done.err), *FINISHED_ID.findall(done.err))}


def settled(asked: Sequence[str], found: Mapping[str, Job], done: Done) -> dict[str, Job]:
    """The answer to a question, by the ids as they were asked.

    An id that is named as unknown is missing; one that nothing was said about is UNKNOWN, whatever the status: 0 came
    with answers that left out running jobs. Raises SchedulerUnavailable, SchedulerFailed when nothing was answered.
    """
    unknown = unknown_ids(done)
    if not unknown:
        check_answered(len(found), done)
    answer = {}
    for job_id in asked:
        if name := named(job_id, found) or alone(job_id, found, asked):
            answer[job_id] = replace(found[name], id=job_id)
        elif not named(job_id, unknown):
            answer[job_id] = Job(job_id, JobState.UNKNOWN)
    return answer


def check_answered(found: int, done: Done) -> None:
    """Raises SchedulerUnavailable, SchedulerFailed for an error that came with nothing."""
    if done.status and not found:
        kind = SchedulerUnavailable if silent(done) else SchedulerFailed
        raise kind(f"The batch system could not be asked about your jobs. It says: {done.words}")


def distinct(jobs: Iterable[Job]) -> list[Job]:
    """The jobs, each id once: of several with the same id the one that has a session's tag, else UNKNOWN.

    A torn answer may hold what looks like a job; several clusters, asked at once, number their jobs alike.
    """
    found: dict[str, list[Job]] = {}
    for job in jobs:
        found.setdefault(job.id, []).append(job)
    return [_one(job_id, alike) for job_id, alike in found.items()]


def _one(job_id: str, alike: list[Job]) -> Job:
    if all(job == alike[0] for job in alike):
        return alike[0]
    tagged = [job for job in alike if job.session]
    return tagged[0] if len(tagged) == 1 else Job(job_id, JobState.UNKNOWN)


def named(job_id: str, names: Iterable[str]) -> str | None:
    """Which of these names, in an answer, is this id's: a server's name may be left out, or cut, on either side."""
    alike = [name for name in names if _number(name) == _number(job_id)]
    for same in (str.__eq__, same_job, _cut):
        if len(found := [name for name in alike if same(name, job_id)]) == 1:
            return found[0]
    return None


def alone(job_id: str, names: Iterable[str], asked: Sequence[str]) -> str | None:
    """The job of this number under another name of its server: the only one in the answer, asked about once."""
    alike = [name for name in names if _number(name) == _number(job_id)]
    return alike[0] if len(alike) == 1 and sum(_number(other) == _number(job_id) for other in asked) == 1 else None


def _cut(one: str, other: str) -> bool:
    """Whether one begins with the other: `3.head` and `3.head.site.org`."""
    return one.startswith(other) or other.startswith(one)


def _number(job_id: str) -> str:
    return job_id.partition(".")[0]


def owned(user: str, given: Mapping[str, object]) -> bool:
    """Whether a job is this user's: `name@host`, where a name may be `DOMAIN\\name` or `name@domain` to either side."""
    owner = str(given.get("Job_Owner") or given.get("euser", ""))
    names = {owner.partition("@")[0], owner.rpartition("@")[0]} - {""}
    return not plain_names(user).isdisjoint(set().union(*map(plain_names, names)))


def plain_names(name: str) -> set[str]:
    """A user's name with and without the domain that it came with."""
    return {name, name.partition("@")[0], name.rpartition("\\")[2]}


# ------------------------------------------------------------------ values
def first_host(exec_host: str | None) -> str | None:
    """The first node of `n/0+n/1`, `n/0-3`, `n/1*2`, or None."""
    found = HOST.match(exec_host or "")
    return found[1] if found and len(found[1]) <= 253 else None


def seconds(text: object) -> int | None:
    """Seconds of `01:00:00`, `1:00:00:00`, `90` or 90, or None."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text if 0 <= text < 1 << 40 else None
    if not isinstance(text, str) or not TIME.fullmatch(text.strip()):
        return None
    total, parts = 0, [int(part) for part in text.strip().split(":")]
    for part, step in zip(parts, (24, 60, 60, 1)[-len(parts) :], strict=True):
        total = (total + part) * step
    return total


def amount(text: object) -> int | None:
    """Bytes of `4gb`, `4194304kb`, `4294967296b`, or None."""
    found = (
        re.fullmatch(r"\s*([0-9]{1,18})\s*([kmgtp]?)(?:b|w)?\s*", str(text), re.IGNORECASE)
        if text is not None
        else None
    )
    return int(found[1]) << 10 * " kmgtp".index(found[2].lower() or " ") if found else None


def count(text: object) -> int | None:
    """A number that is not negative, or None."""
    digits = str(text).strip()
    return int(digits) if digits.isdecimal() and digits.isascii() and len(digits) <= 12 else None


def status_of(text: object) -> int | None:
    """An exit status, or None."""
    return int(str(text)) if re.fullmatch(r"\s*-?[0-9]{1,9}\s*", str(text)) else None


def tag_among(variables: str) -> str | None:
    """The session's key in a Variable_List that is one text: commas in values are not told from those between them."""
    found = AMONG_VARIABLES.search(variables) if TAG in variables else None
    return found[1] if found else None


def comment_of(letter: str, comment: object, hold_types: object) -> str | None:
    """What the scheduler says of the job, and who holds it; else what its state means."""
    said = [" ".join(comment.split())[:500]] if isinstance(comment, str) and comment.strip() else []
    if letter == "H":
        said += [HOLD_WORDS[hold] for hold in str(hold_types) if hold in HOLD_WORDS]
    return " ".join(said) or STATE_WORDS.get(letter)
