"""Checks what a user or an administrator must know when something does not work: `qconnect --doctor`.

Each check looks at the real thing, within WAIT_S seconds, changes nothing, and says what it found and what to do. What
it says holds names, paths, versions and the batch system's own words; never a setting's value that could be a secret.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from . import tools
from .batch import batch_answers, batch_system
from .findings import Finding, Level, in_time, to_json, worst
from .folder import sessions_folder, shared_folder

if TYPE_CHECKING:
    from ..config import QConnect
    from ..schedulers.detect import Flavour
    from ..sessions.manager import SessionManager

__all__ = ["Finding", "Level", "examine", "to_json", "worst"]


async def examine(settings: QConnect, manager: SessionManager, flavour: Flavour) -> list[Finding]:
    """All findings, in an order for reading; the manager need not be open."""
    local = flavour.name == "local"
    found = await asyncio.gather(
        in_time("batch system", partial(batch_system, flavour, settings.scheduler)),
        batch_answers(manager, flavour.name),
        in_time("sessions folder", lambda: sessions_folder(settings.sessions_folder)),
        in_time("shared folder", lambda: shared_folder(settings.sessions_folder, local=local)),
        in_time("transport", partial(tools.transport, settings, local=local)),
        in_time("programs here", partial(tools.programs, settings, local=local)),
        in_time("HTML5 client", partial(tools.clients, settings)),
        in_time("apps", partial(tools.apps, manager)),
        in_time("versions", tools.versions),
        in_time("limits", partial(tools.limits, settings)),
    )
    return [finding for findings in found for finding in findings]
