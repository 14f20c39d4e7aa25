"""What qsub's and qdel's refusals mean, in sentences for the user; TORQUE and OpenPBS. Pure, judged by status and text.

The same status means different things to the two (170: bad state, unknown queue), so that the text decides
(torque.md, OpenPBS; recordings `qsub-*.err`, `qdel-*.err`).
"""

from __future__ import annotations

import re

from ...errors import SchedulerFailed, SchedulerUnavailable
from ...values.job import JOB_ID
from ..commands import Done

SERVER_SILENT = re.compile(
    r"cannot connect to server|Cannot connect to specified server|Unable to communicate|Communication failure"
    r"|could not connect to trqauthd|Unable to get connection|Connection (?:refused|timed out|reset)|Broken pipe"
    r"|(?:Cannot|Can not) resolve|Server shutting down|too busy|No free connections|Premature End|End of File"
    r"|Error (?:writing|reading) data (?:to|from) socket|Time ?out|timed out|Possible transient failure|pbs_iff",
    re.IGNORECASE,
)
MOM_SILENT = re.compile(r"could not connect to MOM|cannot connect to MOM", re.IGNORECASE)
OVER_ALREADY = re.compile(
    r"Unknown Job Id|nonexistent job id|Job has finished|Request invalid for state of job|already in exit",
    re.IGNORECASE,
)

# What `qsub` says, the reason for programs, and what its user can do about it; the first that matches counts.
SUBMIT_REFUSALS: tuple[tuple[str, str, str], ...] = (
    (
        r"submit filter|administratively rejected",
        "submit-filter",
        "The site's own check of jobs did not let this one through. "
        "Change what it complains about, or ask your administrator.",
    ),
    (
        r"ruserok|Bad UID for job execution",
        "not-a-submit-host",
        "Jobs may not be submitted from the machine that this server runs on, or not by this user. The administrator "
        "must allow it. TORQUE: `qmgr -c 'set server submit_hosts += HOST'`. OpenPBS: `qmgr -c 'set server flatuid = "
        "true'`, or an entry in the server's /etc/hosts.equiv.",
    ),
    (
        r"can not be run as root",
        "not-a-submit-host",
        "The batch system takes no jobs of root. Log in as an ordinary user.",
    ),
    (
        r"Unknown queue|QUENOTAVAILABLE|No default queue",
        "unknown-queue",
        "There is no such queue. Choose another one, or leave the queue out.",
    ),
    (r"Queue is not enabled|queue is disabled", "queue-closed", "The queue takes no jobs now. Choose another one."),
    (
        r"user ACL|Access to queue is denied|group ACL|Unauthorized Request",
        "queue-not-yours",
        "The queue is not open to you. Choose another one, or ask your administrator.",
    ),
    (r"max walltime|walltime requirement", "limits", "It asks for more walltime than the queue allows. Ask for less."),
    (
        r"Maximum number of jobs|max_queued|would exceed|limit on (?:number|resource)",
        "too-many-jobs",
        "You have as many jobs as the batch system allows. End one, or wait for one to end.",
    ),
    (
        r"cannot locate feasible nodes|exceeds queue resource limits|Resource limit exceeds|rejected by all possible",
        "limits",
        "It asks for more than any node, or the queue, has: nodes, cores per node, memory or walltime. Ask for less.",
    ),
    (
        r"Illegal attribute or resource value|Unknown resource|illegal -|name is too long|invalid option"
        r"|is not a valid option",
        "bad-option",
        "The batch system does not understand one of the job's options. Look at the site's and the app's native "
        "options, or ask for something else.",
    ),
    (
        r"account|project",
        "account",
        "The account is not accepted. Choose one that you may charge jobs to.",
    ),
)


def job_id_of(done: Done) -> str:
    """The id that `qsub` printed; stderr with a status of 0 is talk (submit filters). Raises SchedulerFailed."""
    printed = (done.out.split() or [""])[-1]
    if done.status == 0 and JOB_ID.fullmatch(printed):
        if "[]" in printed:
            raise SchedulerFailed(
                f"The batch system made an array of jobs, {printed}, and a session is one job. End it (qdel "
                f"'{printed}'), then look at the options of the app and of the site.",
                reason="array",
            )
        return printed
    if done.status == 0:
        raise SchedulerUnavailable(f"qsub said that all is well, but not which job it made: {done.words}.")
    raise refused(done)


def refused(done: Done) -> SchedulerFailed:
    """Why `qsub` did not take the job; what a submit filter says is the site's own text, whatever words it holds."""
    if silent(done) and not re.search(SUBMIT_REFUSALS[0][0], done.err, re.IGNORECASE):
        return SchedulerUnavailable(
            f"The batch system does not answer. It says: {done.words}", reason="scheduler-unavailable"
        )
    for pattern, reason, sentence in SUBMIT_REFUSALS:
        if re.search(pattern, brief(done), re.IGNORECASE):
            return SchedulerFailed(f"{sentence} The batch system says: {brief(done)}", reason=reason)
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
