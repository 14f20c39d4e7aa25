"""Text from elsewhere, as a log, a terminal or a page may show it: nothing in it moves, hides or reorders the rest."""

from __future__ import annotations

import logging
import re
from pathlib import Path

ACTIVE = r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
"""Control characters, ends of lines among them; those that turn the direction of writing; halves of characters."""
ONE_LINE, LINES = re.compile(ACTIVE), re.compile(rf"(?![\n\t]){ACTIVE}")
HERE = str(Path(__file__).parent)


def escaped(text: str) -> str:
    """The text on one line, with such characters as Python would write them: `\\x1b`, `\\u202e`."""
    return ONE_LINE.sub(_written, text)


def shown(text: str) -> str:
    """The same for text of several lines: their ends stay, and so do tabs."""
    return LINES.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


class PlainLines(logging.Filter):
    """Escapes the lines that this package writes: they quote batch systems, nodes and users' files."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.pathname.startswith(HERE):
            record.msg, record.args = escaped(record.getMessage()), ()
        return True


PLAIN = PlainLines()
"""The one for all loggers, to which it may be added any number of times."""


def plain_logger(name: str) -> logging.Logger:
    """The logger of a module."""
    logger = logging.getLogger(name)
    logger.addFilter(PLAIN)
    return logger
