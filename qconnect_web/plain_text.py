"""Text from elsewhere, as a log may show it: nothing in it moves, hides or reorders what stands around it."""

from __future__ import annotations

import re

ACTIVE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, ends of lines among them; those that turn the direction of writing; halves of characters."""


def escaped(text: str) -> str:
    """The text on one line, with such characters as Python would write them: `\\x1b`, `\\u202e`."""
    return ACTIVE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
