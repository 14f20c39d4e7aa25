"""What a batch system says when it takes no job, and what its user can do about it: one table for each system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import SchedulerFailed, SchedulerUnavailable
from .commands import Done

FORM = "No smaller amount helps: the form is a setting of the site (QConnect.request_form), so ask your administrator."


@dataclass(frozen=True)
class Refusal:
    """Literal texts of a batch system, any of which means this: the reason for programs, our sentence for people.

    `field` is the field of the launch form that it is about, if it is about one.
    """

    texts: tuple[str, ...]
    reason: str
    sentence: str
    field: str = ""

    def refused(self, message: str) -> SchedulerFailed:
        """The error to be raised, with these words."""
        return SchedulerFailed(message, reason=self.reason, fields={self.field: message} if self.field else None)


def meaning(words: str, table: Sequence[Refusal]) -> Refusal | None:
    """The first row one of whose texts stands in `words`; None for what is not known, which is shown as it is."""
    said = words.casefold()
    return next((row for row in table if any(text.casefold() in said for text in row.texts)), None)


def unread(program: str, done: Done) -> SchedulerUnavailable:
    """A submission whose answer does not say which job it made, or anything: there may be one, which is adopted."""
    told = f" It says: {done.words}" if done.out.strip() or done.err.strip() else " It says nothing at all."
    return SchedulerUnavailable(
        f"`{program}` did not say which job it made. If there is one, its session appears in the list within a minute: "
        f"look there before you start another.{told}"
    )
