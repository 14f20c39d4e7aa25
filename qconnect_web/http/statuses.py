"""The one table from errors to HTTP statuses; everything below the front doors knows only the errors."""

from __future__ import annotations

from ..errors import (
    BadFields,
    BadRequest,
    Forbidden,
    NotReady,
    QConnectError,
    TooManyRequests,
    UnknownApp,
    UnknownSession,
    UpstreamFailed,
)

STATUS: dict[type[QConnectError], int] = {
    BadFields: 422,
    BadRequest: 400,
    Forbidden: 403,
    UnknownApp: 404,
    UnknownSession: 404,
    NotReady: 409,
    TooManyRequests: 429,
    UpstreamFailed: 502,
    QConnectError: 500,
}


def status_of(error: QConnectError) -> int:
    """The HTTP status of an error: that of its nearest ancestor in the table."""
    if error.reason in ("timeout", "unconfirmed"):  # nobody said no: it may still be answered later
        return 504
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
