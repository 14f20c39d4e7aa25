"""What the exit status of `qconnect` says; 0, 1, 2, 3, 10 and 255 are those of qconnect 1.8.1."""

from __future__ import annotations

from enum import IntEnum

from ..errors import IdentityMismatch, QConnectError, SchedulerUnavailable, Unreachable


class Exit(IntEnum):
    """The exit statuses; each docstring is its line in the manual."""

    DONE = 0
    """It was done: listed, started, stopped, or shown and left again."""
    REFUSED = 1
    """It was refused: bad input, no such session, a limit of the site, or the batch system said no."""
    USAGE = 2
    """The options are wrong."""
    DIED = 3
    """The session ended before it could be shown."""
    LOST = 4
    """The connection to the session's node failed or broke; the session goes on."""
    UNHEALTHY = 5
    """--doctor found a problem."""
    UNKNOWN = 10
    """The batch system does not answer, so nothing is known for sure."""
    INTERRUPTED = 130
    """Ctrl-C while waiting; the session goes on."""
    TOOL_MISSING = 255
    """A program that is needed here (ssh, tmux, a viewer) is missing or cannot work."""


class Stop(QConnectError):
    """Ends the command with this message and exit status."""

    def __init__(self, message: str, exit: Exit) -> None:
        super().__init__(message)
        self.exit = exit


def exit_of(error: Exception) -> Exit:
    """The exit status for an error that reached the front door."""
    if isinstance(error, Stop):
        return error.exit
    if isinstance(error, SchedulerUnavailable):
        return Exit.UNKNOWN
    return Exit.LOST if isinstance(error, Unreachable | IdentityMismatch) else Exit.REFUSED
