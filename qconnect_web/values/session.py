"""A session: what the server recorded, what its job wrote, and what the user sees of both.

Session state is never stored: `session_state` derives it, every time.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from ..errors import BadRequest
from .job import Job, JobSpec, JobState
from .known_keys import known

UNIX_SOCKET = re.compile(r"/[!-~]{1,106}")  # at most 107 bytes (unix(7)), and ours are plain ASCII


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

    run: str
    job: str
    node: str
    port: int | None
    socket: str | None
    display: str
    xpra: str
    fingerprint: str
    time: float
    terminal: str | None = None
    version: int = 1
    protocol: str = "xpra"

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Connection:
        """The connection as the job wrote it; raises BadRequest when it is not one."""
        known(cls, data)
        found = cls(**data)
        strings = (found.run, found.job, found.node, found.display, found.xpra, found.fingerprint)
        wrong = (
            not (all(isinstance(value, str) for value in strings) and isinstance(data["port"], int | None))
            or not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})", str(found.node))
            or found.protocol not in ("xpra", "rfb")
            or (found.port, found.socket).count(None) != (2 if found.terminal and not found.display else 1)
            or (found.port is not None and not 1024 <= int(found.port) <= 65535)
            or not all(path is None or UNIX_SOCKET.fullmatch(str(path)) for path in (found.socket, found.terminal))
            or (found.port is not None and not re.fullmatch(r"[0-9a-f]{64}", str(found.fingerprint)))
        )
        if wrong:
            raise BadRequest("The session's connection.json is not one that a job writes.")
        return found


@dataclass(frozen=True)
class End:
    """How a run ended, as the job's supervisor wrote it; `reason` is a word of the list in docs/architecture.md."""

    run: str
    job: str
    node: str
    reason: str
    message: str
    exit_status: int | None
    time: float
    version: int = 1

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> End:
        """The end record as the job wrote it; raises BadRequest when it is not one."""
        known(cls, data)
        return cls(**data)


ENDED_WELL = {"app-exit", "cancelled", "walltime"}
"""End reasons after which a session is ENDED (app-exit: with status 0); any other means FAILED."""


@dataclass(frozen=True)
class Record:
    """What `session.json` holds: the server's intent, written before submission and again with the job id.

    `submitter` is `host:pid:start time` of the process that wrote the intent, so that an intent whose writer died
    can be told from one that is still being submitted. Times are epoch seconds.
    """

    key: str
    app: str
    title: str
    spec: JobSpec
    command: tuple[str, ...]
    created: float
    kind: str = "gui"
    submitter: str | None = None
    job_id: str | None = None
    submitted: float | None = None
    idempotency_key: str | None = None
    stopped: float | None = None
    refused: str | None = None
    version: int = 1

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "spec": self.spec.to_json(), "command": list(self.command)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """The record as `to_json` wrote it; raises BadRequest on unknown keys."""
        known(cls, data)
        return cls(**{**data, "spec": JobSpec.from_json(data["spec"]), "command": tuple(data["command"])})


def session_state(job: Job, connection: Connection | None, end: End | None) -> SessionState:
    """What the user sees, from what the scheduler says and what the job wrote (both of the current run only)."""
    if job.state is JobState.COMPLETED:
        return _ended(job, connection, end)
    if job.state is JobState.RUNNING:
        if end:
            return SessionState.ENDING
        return SessionState.READY if connection else SessionState.STARTING
    if job.state is JobState.UNKNOWN:
        return SessionState.UNREACHABLE
    return SessionState(job.state.value)  # QUEUED, HELD and SUSPENDED look the same from both sides


def _ended(job: Job, connection: Connection | None, end: End | None) -> SessionState:
    """ENDED or FAILED: the job's own word first, then the scheduler's exit status (none: cancelled while queued)."""
    if end:
        well = end.reason in ENDED_WELL and not (end.reason == "app-exit" and end.exit_status)
        return SessionState.ENDED if well else SessionState.FAILED
    if job.cause in ENDED_WELL or (job.cause is None and job.exit_status is None):
        return SessionState.ENDED
    return SessionState.ENDED if connection and job.exit_status == 0 else SessionState.FAILED


@dataclass(frozen=True)
class Session:
    """One App in one Job; while the scheduler does not answer, `stale_since` is set, and `job` its last word."""

    record: Record
    job: Job
    connection: Connection | None = None
    end: End | None = None
    stale_since: float | None = None

    @property
    def id(self) -> str:
        """The job id; an intent that has none yet goes by its key."""
        return self.record.job_id or self.record.key

    @property
    def state(self) -> SessionState:
        """Derived, every time; a session that was told to stop is ENDING until the scheduler says that it ended."""
        state = session_state(self.job, self.connection, self.end)
        stopping = self.record.stopped is not None and not state.final and state is not SessionState.UNREACHABLE
        return SessionState.ENDING if stopping else state
