"""How often the session folders are looked at: the more somebody waits for what they may say, the sooner again."""

from __future__ import annotations

LOOK_OPENING = 0.1
"""Seconds between two looks while somebody waits and a run is opening its display."""
OPENS_WITHIN = 5.0
"""Seconds for which a run counts as opening: most are ready within two, and a busy file system is left alone then."""
LOOK_WAITING = 0.25
"""Seconds between two looks while somebody waits for a session to start or end."""
LOOK_WATCHED = 1.0
LOOK_PENDING = 10.0
LOOK_IDLE = 60.0


def pause(*, watched: bool, pending: bool, opening: bool) -> float:
    """Seconds until the next look, when somebody watches or not, and sessions are between two states or not."""
    if not watched:
        return LOOK_PENDING if pending else LOOK_IDLE
    if not pending:
        return LOOK_WATCHED
    return LOOK_OPENING if opening else LOOK_WAITING
