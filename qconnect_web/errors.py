"""The exceptions of the package.

A message says what happened, then what to do; every message may be shown to the user.

    QConnectError
    ├── BadRequest          the request cannot be carried out as it stands (400)
    │   ├── BadFields       fields of a form are wrong: says of each what is wrong with it (422)
    │   └── BadAppFile      an app file is wrong: names file, line or key, and remedy
    ├── Forbidden           the site or the session does not allow it (403)
    ├── UnknownApp          no app of that name (404)
    ├── UnknownSession      no session of that job id (404)
    ├── NotReady            the session is not in a state that allows it (409)
    ├── TooManyRequests     a limit of the site is reached (429)
    └── UpstreamFailed      something behind the server did not do its part (502)
        ├── SchedulerFailed        the scheduler refused, or answered with an error
        │   └── SchedulerUnavailable   it did not answer: unknown, not gone
        ├── Unreachable            nobody answers at the session's endpoint
        ├── IdentityMismatch       somebody else answers there; no byte was sent
        ├── DamagedFile            a file of a session is none that we or its job write: names its path
        └── StorageFailed          the sessions folder cannot be written; nothing was submitted
"""

from __future__ import annotations

from collections.abc import Mapping


class QConnectError(Exception):
    """Whatever this package raises on purpose; `reason` is the machine-readable word for it.

    `fields` says what is wrong with which field of a form, where it is about fields.
    """

    reason = "error"

    def __init__(self, message: str, *, reason: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})
        if reason is not None:
            self.reason = reason


class BadRequest(QConnectError):
    """The request cannot be carried out as it stands."""

    reason = "bad-request"


class BadFields(BadRequest):
    """Fields of a form cannot be as they are; the message is what is wrong with all of them."""

    reason = "bad-fields"

    @classmethod
    def of(cls, fields: Mapping[str, str], *, reason: str | None = None) -> BadFields:
        """The error about these fields."""
        return cls(" ".join(dict.fromkeys(fields.values())), reason=reason, fields=fields)


class BadAppFile(BadRequest):
    """An app file is wrong; the message names the file, the line or key, and the remedy."""

    reason = "bad-app-file"


class Forbidden(QConnectError):
    """The site, or the state of a file, does not allow it."""

    reason = "forbidden"


class UnknownApp(QConnectError):
    """There is no app of that name in the catalogue."""

    reason = "unknown-app"


class UnknownSession(QConnectError):
    """There is no session of that job id."""

    reason = "unknown-session"


class NotReady(QConnectError):
    """The session is not in a state that allows what was asked."""

    reason = "not-ready"


class TooManyRequests(QConnectError):
    """A limit of the site is reached; the message says which."""

    reason = "too-many"


class UpstreamFailed(QConnectError):
    """Something behind the server did not do its part."""

    reason = "upstream-failed"


class SchedulerFailed(UpstreamFailed):
    """The scheduler refused or answered with an error; its own words are in the message."""

    reason = "scheduler-failed"


class SchedulerUnavailable(SchedulerFailed):
    """The scheduler did not answer: what it knew last still holds (unknown is not gone)."""

    reason = "scheduler-unavailable"


class Unreachable(UpstreamFailed):
    """Nobody answers at the session's endpoint."""

    reason = "unreachable"


class IdentityMismatch(UpstreamFailed):
    """Somebody else answers at the session's endpoint; not one byte was sent to them."""

    reason = "identity-mismatch"


class StorageFailed(UpstreamFailed):
    """The sessions folder cannot be written (quota, read-only); nothing was submitted."""

    reason = "storage-failed"


class DamagedFile(UpstreamFailed):
    """A file in the sessions folder is whole and is none that we or a job write; `since` is its time, epoch seconds."""

    reason = "damaged"

    def __init__(self, message: str, *, since: float = 0.0) -> None:
        super().__init__(message)
        self.since = since
