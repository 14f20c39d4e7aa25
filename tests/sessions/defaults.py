"""The core of sessions as a site has it that sets nothing: the defaults are the settings' own."""

from __future__ import annotations

from qconnect_web.config import QConnect
from qconnect_web.schedulers import Scheduler
from qconnect_web.sessions.job_cache import JobCache
from qconnect_web.sessions.limits import Limits
from qconnect_web.sessions.store import Store


def limits() -> Limits:
    """What one user may ask of the site."""
    site = QConnect()
    return Limits(
        live=site.max_sessions,
        starts_per_minute=site.max_starts_per_minute,
        keep_ended_days=site.keep_ended_days,
        questions_per_minute=site.max_questions_per_minute,
    )


def job_cache(scheduler: Scheduler, store: Store) -> JobCache:
    """A cache that may ask as often as `limits` says."""
    return JobCache(scheduler, store, limits().questions_per_minute)
