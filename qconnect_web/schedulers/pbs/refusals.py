"""What qsub's and qdel's refusals mean, in sentences for the user; TORQUE and OpenPBS. Pure, judged by status and text.

The same status means different things to the two (170: bad state, unknown queue), so that the text decides
(torque.md, OpenPBS; recordings `qsub-*.err`, `qdel-*.err`).
"""

from __future__ import annotations

import re

from ...errors import SchedulerFailed, SchedulerUnavailable
from ...values.job import JOB_ID
from ..commands import Done
from ..refusal import FORM, Refusal, meaning, unread

SERVER_SILENT = re.compile(
    r"cannot connect to server|Cannot connect to specified server|Unable to communicate|Communication failure"
    r"|could not connect to trqauthd|Unable to get connection|Connection (?:refused|timed out|reset)|Broken pipe"
    r"|(?:Cannot|Can not) resolve|Server shutting down|too busy|No free connections|Premature End|End of File"
    r"|Error (?:writing|reading) data (?:to|from) socket|Time ?out|timed out|Possible transient failure|pbs_iff",
    re.IGNORECASE,
)
MOM_SILENT = re.compile(r"could not connect to MOM|cannot connect to MOM", re.IGNORECASE)
OVER_ALREADY = re.compile(
    r"Unknown Job Id|nonexistent job id|Job has finished|Request invalid for state of job|already in exit"
    r"|Job not found|unknown job id after clean init",
    re.IGNORECASE,
)

SUBMIT_REFUSALS = (
    Refusal(
        ("submit filter", "administratively rejected", "request rejected as filter hook", "rejected by hook"),
        "submit-filter",
        "The site's own check of jobs did not let this one through. "
        "Change what it complains about, or ask your administrator.",
    ),
    Refusal(
        ("user does not exist in server password file", "Bad GID for job execution"),
        "not-a-submit-host",
        "The batch server does not know you, or your group. Ask your administrator for access to it.",
    ),
    Refusal(
        ("ruserok", "Bad UID for job execution", "Access from host not allowed"),
        "not-a-submit-host",
        "Jobs may not be submitted from the machine that this server runs on, or not by this user. The administrator "
        "must allow it. TORQUE: `qmgr -c 'set server submit_hosts += HOST'`. OpenPBS: `qmgr -c 'set server flatuid = "
        "true'`, or an entry in the server's /etc/hosts.equiv.",
    ),
    Refusal(
        ("can not be run as root",),
        "not-a-submit-host",
        "The batch system takes no jobs of root. Log in as an ordinary user.",
    ),
    Refusal(
        ("Invalid credential", "Expired credential", "Bad credential"),
        "login-expired",
        "Your login is not valid for the batch system, or no more. Log in anew (`kinit`), then try again.",
    ),
    Refusal(
        ("Unknown queue", "No default queue"),
        "unknown-queue",
        "There is no such queue. Choose another one, or leave the queue out.",
        "queue",
    ),
    Refusal(
        ("Queue is not enabled", "queue is disabled", "Queue is currently not available"),
        "queue-closed",
        "The queue takes no jobs now. Choose another one.",
        "queue",
    ),
    Refusal(
        ("user ACL", "group ACL", "Access to queue is denied", "Unauthorized Request", "No privileges"),
        "queue-not-yours",
        "The queue is not open to you. Choose another one, or ask your administrator.",
        "queue",
    ),
    Refusal(
        ("min walltime requirement", "minimum limit", "below the minimum"),
        "limits",
        "It asks for less than the queue is for. Ask for more, or choose another queue.",
    ),
    Refusal(
        ("max walltime requirement",),
        "limits",
        "It asks for more walltime than the queue allows. Ask for less.",
        "walltime",
    ),
    Refusal(
        ("limit on resource",),
        "limits",
        "With your other jobs it would have more of this than you may. Ask for less, or wait for one of them to end.",
    ),
    Refusal(
        (
            "Maximum number of jobs already in queue",
            "exceeds the queue limit",
            "exceed complex's per-user limit",
            "exceed queue's per-user limit",
            "exceed per-user limit",
            "per-user limit of jobs",
            "would exceed limit on number",
            "would exceed queue",
            "would exceed complex",
            "max_queued",
        ),
        "too-many-jobs",
        "You have as many jobs as the batch system allows. End one, or wait for one to end.",
    ),
    Refusal(
        (
            "cannot locate feasible nodes",
            "exceeds queue resource limits",
            "Resource limit exceeds allowable",
            "violates queue and/or server resource limits",
            "rejected by all possible destinations",
        ),
        "limits",
        "It asks for more than any node, or the queue, has: nodes, cores per node, memory or walltime. Ask for less.",
    ),
    Refusal(
        ("node(s) specification error", "Cannot be used with select or place"),
        "request-form",
        f"The batch system does not take nodes, cores or GPUs in the form in which they were asked for. {FORM}",
    ),
    Refusal(
        (
            "Illegal attribute or resource value",
            "Unknown resource",
            "Undefined attribute",
            "Mutually exclusive values",
            "resource request conflicts",
            "Queue does not allow",
            "Invalid Job Dependency",
            "illegal -",
            "name is too long",
            "invalid option",
            "is not a valid option",
        ),
        "bad-option",
        "The batch system does not understand one of the job's options. Look at the site's and the app's native "
        "options, or ask for something else.",
    ),
    Refusal(
        ("Invalid account",),
        "account",
        "The account is not accepted. Choose one that you may charge jobs to.",
        "account",
    ),
)
"""What `qsub` of TORQUE (pbs_error_db.h) and OpenPBS (pbs_messages) says; the first row that is in its words counts."""

WITH_SERVER = r"[0-9]{1,10}(?:\[[0-9]*\])?\.[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"
ID_LINE = re.compile(rf"^\s*({WITH_SERVER})\s*$", re.MULTILINE)
ID_IN_SENTENCE = re.compile(rf"(?<![\w.@/:-])({WITH_SERVER})(?![\w@/])")
NUMBER_IN_SENTENCE = re.compile(r"\bjob(?: id)?:?\s+([0-9]{1,10}(?:\[[0-9]*\])?)(?![\w.])", re.IGNORECASE)
TAKEN = re.compile(r"\bjob\b|submitted", re.IGNORECASE)


def job_id_of(done: Done) -> str:
    """The id that `qsub` printed, whatever stands around it; stderr with a status of 0 is talk (submit filters).

    Raises SchedulerUnavailable where there may be a job, though not which, and SchedulerFailed where there is none.
    """
    if len(found := told_ids(done)) == 1:
        (job_id,) = found
        if "[" in job_id:
            raise SchedulerFailed(
                f"The batch system made an array of jobs, {job_id}, and a session is one job. End it (qdel "
                f"'{job_id}'), then look at the options of the app and of the site.",
                reason="array",
            )
        return job_id
    if done.status == 0 or not (done.out.strip() or done.err.strip()):
        raise unread("qsub", done)
    raise refused(done)


def told_ids(done: Done) -> set[str]:
    """The ids that a submission told of: its whole output, else lines that are one, else those in a sentence.

    Numbers without a server's name are none, unless nothing else is there or a sentence says so: sites print quotas.
    """
    whole = done.out.strip()
    if JOB_ID.fullmatch(whole) and (done.status == 0 or "." in whole):
        return {whole}
    if lines := set(ID_LINE.findall(done.out)):
        return lines
    if done.status:
        return set()
    sentences = [line for line in f"{done.out}\n{done.err}".splitlines() if TAKEN.search(line)]
    found = {job_id for line in sentences for job_id in ID_IN_SENTENCE.findall(line)}
    return found or {job_id for line in sentences if "submitted" in line for job_id in NUMBER_IN_SENTENCE.findall(line)}


def refused(done: Done) -> SchedulerFailed:
    """Why `qsub` did not take the job; what a submit filter says is the site's own text, whatever words it holds."""
    row = meaning(brief(done), SUBMIT_REFUSALS)
    if silent(done) and row is not SUBMIT_REFUSALS[0]:
        return SchedulerUnavailable(
            f"The batch system does not answer. It says: {done.words}", reason="scheduler-unavailable"
        )
    if row:
        return row.refused(f"{row.sentence} The batch system says: {brief(done)}")
    return SchedulerFailed(f"The batch system did not take the job. It says: {done.words}", reason="refused")


def brief(done: Done) -> str:
    """Its words without the pages of usage that some errors bring along."""
    words = re.split(r" / usage:", done.words, maxsplit=1, flags=re.IGNORECASE)[0]
    return words if words.endswith((".", ")", "!")) else f"{words}."


def silent(done: Done) -> bool:
    """Whether nobody answered the command: unknown, never "gone". By status where there are no words."""
    return bool(SERVER_SILENT.search(done.err)) or done.status < 0 or (done.status in (33, 111, 248) and not done.out)


def check_cancelled(done: Done) -> None:
    """Raises SchedulerUnavailable, SchedulerFailed unless `qdel` did it, or the job was over or unknown already."""
    if done.status == 0 or OVER_ALREADY.search(done.err):
        return
    if MOM_SILENT.search(done.err):
        raise SchedulerUnavailable(
            f"The job's node does not answer, so the job could not be ended yet. Try again later. It says: {done.words}"
        )
    if silent(done):
        raise SchedulerUnavailable(f"The batch system does not answer, so nothing was ended. It says: {done.words}")
    raise SchedulerFailed(f"The batch system did not end the job. It says: {done.words}", reason="not-ended")
