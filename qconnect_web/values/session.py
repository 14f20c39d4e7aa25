"""A session: what the server recorded, what its job wrote, and what the user sees of both.

Session state is never stored: `session_state` derives it, every time.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Annotated, Any

from ..errors import BadRequest
from .job import ANY_JOB_ID, EXIT_STATUS, Job, JobSpec, JobState
from .reader import moment, read, text, whole, words

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""A session's key, which is its folder's name."""
NODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}")
"""A node as its kernel calls it (`_` is no letter of DNS, and still one of host names); never an option."""
UNIX_SOCKET = re.compile(r"/[!-~]{1,106}")  # at most 107 bytes (unix(7)), and ours are plain ASCII
FINGERPRINT = re.compile(r"(?:[0-9a-f]{64})?")
RUN = re.compile(r"[A-Za-z0-9._-]{1,128}")
WORD = re.compile(r"[a-z][a-z-]{0,63}")
FORMAT = whole(1, 1)


class SessionState(str, Enum):
    """What the user sees of a session."""

    QUEUED = "QUEUED"
    HELD = "HELD"
    STARTING = "STARTING"
    READY = "READY"
    SUSPENDED = "SUSPENDED"
    ENDING = "ENDING"
    ENDED = "ENDED"
    FAILED = "FAILED"
    UNREACHABLE = "UNREACHABLE"

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to the session."""
        return self in (SessionState.ENDED, SessionState.FAILED)


@dataclass(frozen=True)
class Connection:
    """What the job wrote when its display answered: where it is and which run (generation) speaks.

    `port` (mutual TLS) or `socket` (unix) is None; `fingerprint` is the SHA-256 of the DER server certificate, hex.
    `protocol` is what speaks there: xpra of version `xpra`, or RFB (VNC, behind the job's door; `xpra` is empty).
    `terminal` is the socket of a tmux; such a session may have no display (empty), and then no port and no socket.
    """

    run: Annotated[str, text(128, RUN)]
    job: Annotated[str, text(271, ANY_JOB_ID)]
    node: Annotated[str, text(253, NODE)]
    port: Annotated[int | None, whole(1024, 65535)]
    socket: Annotated[str | None, text(107, UNIX_SOCKET)]
    display: Annotated[str, text(16, re.compile(r"(?::[0-9]+)?"))]
    xpra: Annotated[str, text(64, re.compile(r"[!-~]*"))]
    fingerprint: Annotated[str, text(64, FINGERPRINT)]
    time: Annotated[float, moment]
    terminal: Annotated[str | None, text(107, UNIX_SOCKET)] = None
    version: Annotated[int, FORMAT] = 1
    protocol: Annotated[str, text(4, re.compile("xpra|rfb"))] = "xpra"

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Connection:
        """The connection as the job wrote it; raises BadRequest when it is not one."""
        found = read(cls, data)
        if (found.port, found.socket).count(None) != (2 if found.terminal and not found.display else 1):
            raise BadRequest("A Connection has either a port or a socket.")
        if found.port is not None and not found.fingerprint:
            raise BadRequest("A Connection with a port has a fingerprint.")
        return found


@dataclass(frozen=True)
class End:
    """How a run ended, as the job's supervisor wrote it; `reason` is a word of the list in docs/architecture.md."""

    run: Annotated[str, text(128, RUN)]
    job: Annotated[str, text(271, ANY_JOB_ID)]
    node: Annotated[str, text(4096)]
    reason: Annotated[str, text(64, WORD)]
    message: Annotated[str, text(65536)]
    exit_status: Annotated[int | None, EXIT_STATUS]
    time: Annotated[float, moment]
    version: Annotated[int, FORMAT] = 1

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> End:
        """The end record as the job wrote it; raises BadRequest when it is not one."""
        return read(cls, data)


DAMAGED = "damaged"
"""`Job.cause` of a session whose record cannot be read."""
FORGOTTEN = "forgotten"
"""`Job.cause` of a job that the scheduler does not know any more: that it is over is told by nothing else."""
UNTOLD = (None, FORGOTTEN)
"""`Job.cause` where the scheduler does not say why the job is over."""
ENDED_WELL = {"app-exit", "cancelled", "walltime"}
"""End reasons after which a session is ENDED (app-exit: with status 0); any other means FAILED."""


@dataclass(frozen=True)
class Record:
    """What `session.json` holds: the server's intent, written before submission and again with the job id.

    `submitter` is `host:pid:start time` of the process that wrote the intent, so that an intent whose writer died
    can be told from one that is still being submitted. `stopped` is when its user ended it, `refused` why the scheduler
    did not take that; None when it did. Times are epoch seconds.
    """

    key: Annotated[str, text(128, KEY)]
    app: Annotated[str, text(255)]
    title: Annotated[str, text(255)]
    spec: JobSpec
    command: Annotated[tuple[str, ...], words(65536, 65536)]
    created: Annotated[float, moment]
    kind: Annotated[str, text(8, re.compile("gui|desktop|vnc|terminal"))] = "gui"
    window: Annotated[str, text(5, re.compile("fill|float"))] = "float"
    submitter: Annotated[str | None, text(512)] = None
    job_id: Annotated[str | None, text(271, ANY_JOB_ID)] = None
    submitted: Annotated[float | None, moment] = None
    idempotency_key: Annotated[str | None, text(255)] = None
    stopped: Annotated[float | None, moment] = None
    refused: Annotated[str | None, text(65536)] = None
    version: Annotated[int, FORMAT] = 1

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "spec": self.spec.to_json(), "command": list(self.command)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """The record as `to_json` wrote it; raises BadRequest for anything else."""
        return read(cls, data)


def session_state(job: Job, connection: Connection | None, end: End | None, *, stopped: bool = False) -> SessionState:
    """What the user sees, from what the scheduler says and what the job wrote (both of the current run only).

    `stopped`: its user had it ended.
    """
    if job.state is JobState.COMPLETED:
        return _ended(job, connection, end, stopped)
    if job.state is JobState.RUNNING:
        if end:
            return SessionState.ENDING
        return SessionState.READY if connection else SessionState.STARTING
    if job.state is JobState.UNKNOWN:
        return SessionState.UNREACHABLE
    return SessionState(job.state.value)  # QUEUED, HELD and SUSPENDED look the same from both sides


def _ended(job: Job, connection: Connection | None, end: End | None, stopped: bool) -> SessionState:
    """ENDED or FAILED: the job's own word first, then the scheduler's exit status (none: cancelled while queued).

    A run that had a display tells its end, unless its node fails: then no exit status of the scheduler's is good.
    """
    if end:
        well = end.reason in ENDED_WELL and not (end.reason == "app-exit" and end.exit_status)
        return SessionState.ENDED if well else SessionState.FAILED
    well = stopped if connection else job.exit_status is None
    return SessionState.ENDED if job.cause in ENDED_WELL or (job.cause in UNTOLD and well) else SessionState.FAILED


@dataclass(frozen=True)
class Session:
    """One App in one Job; while the scheduler does not answer, `stale_since` is set, and `job` its last word.

    `damage` names the file that cannot be used, if one of the session's cannot.
    """

    record: Record
    job: Job
    connection: Connection | None = None
    end: End | None = None
    stale_since: float | None = None
    damage: str | None = None

    @classmethod
    def damaged(cls, key: str, since: float, damage: str) -> Session:
        """A session whose record cannot be read: nothing is known of it, and nothing is asked; it can be removed."""
        record = Record(key, app="", title="Damaged session", spec=JobSpec(""), command=(), created=since)
        return cls(record, Job(key, JobState.COMPLETED, cause=DAMAGED), damage=damage)

    @property
    def id(self) -> str:
        """The job id; an intent that has none yet goes by its key."""
        return self.record.job_id or self.record.key

    @property
    def state(self) -> SessionState:
        """Derived, every time; a session that was told to stop is ENDING until the scheduler says that it ended."""
        state = session_state(self.job, self.connection, self.end, stopped=self.stopping)
        shown = self.stopping and not state.final and state is not SessionState.UNREACHABLE
        return SessionState.ENDING if shown else state

    @property
    def stopping(self) -> bool:
        """Whether its user had it ended, and the scheduler did not refuse."""
        return self.record.stopped is not None and self.record.refused is None

    @property
    def may_run(self) -> bool:
        """Whether its job may run though nobody knows it any more: it has not told its end, and no stop was taken."""
        return self.job.cause == FORGOTTEN and self.end is None and not self.stopping
