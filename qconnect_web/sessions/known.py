"""What is known of every session: derived from what the folders and the scheduler say, without looking or asking.

Nothing in here reads a clock, a file or an answer, and nothing is state that a restart would lose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..values.job import Job, JobState
from ..values.session import Record, Session, SessionState
from . import timings
from .clock import Now
from .job_status import JobStatus, unheard
from .runs import Runs
from .store import Facts

SILENT = (JobState.QUEUED, JobState.HELD, JobState.UNKNOWN)
"""States of a job that a run of it disproves."""


@dataclass(frozen=True)
class Memory:
    """What one look leaves for the next about a session.

    `job_id` is of a job that the record does not name yet; a `settled` session needs no more looks.
    """

    job_id: str | None = None
    runs: Runs = field(default_factory=Runs)
    settled: bool = False


@dataclass(frozen=True)
class Known:
    """The sessions by key, what they were derived from, and what is new since the time before.

    `changed` are those of which a user can see a change, `news` the facts of runs whose start, display or end was
    seen for the first time; `gone` says whether a session is no more.
    """

    facts: Mapping[str, Facts] = field(default_factory=dict)
    sessions: Mapping[str, Session] = field(default_factory=dict)
    memories: Mapping[str, Memory] = field(default_factory=dict)
    changed: tuple[Session, ...] = ()
    news: tuple[Facts, ...] = ()
    gone: bool = False

    @property
    def live(self) -> list[Session]:
        """The sessions that have not ended."""
        return [session for session in self.sessions.values() if not session.state.final]

    @property
    def pending(self) -> bool:
        """Whether a session is on its way to READY, or from there to its end, be it against the scheduler's will."""
        return any(session.state is not SessionState.READY or session.record.refused for session in self.live)

    @property
    def owed(self) -> bool:
        """Whether a session lives that its user has ended: that is seen to also when nobody looks."""
        return any(session.record.stopped for session in self.live)

    @property
    def intents(self) -> list[Record]:
        """The records of sessions whose job nobody knows, if there is one."""
        return [facts.record for key, facts in self._without_id() if self._memory(key).job_id is None]

    @property
    def late(self) -> dict[str, str]:
        """The job ids that are known here and are not in their records yet: {session key: job id}."""
        found = {key: self._memory(key).job_id for key, _ in self._without_id()}
        return {key: job_id for key, job_id in found.items() if job_id}

    @property
    def settled(self) -> dict[str, Facts]:
        """What the folders of sessions that need no more looks said."""
        return {key: facts for key, facts in self.facts.items() if self._memory(key).settled}

    def opening(self, now: Now) -> bool:
        """Whether a run was first seen a moment ago and has said nothing since."""
        begun = [key for key, facts in self.facts.items() if facts.run and not (facts.connection or facts.end)]
        return any(self._memory(key).runs.since > now.monotonic - timings.OPENS_WITHIN for key in begun)

    def moving(self, now: Now, *, cheap: bool) -> bool:
        """Whether a job is between two states right now, so that the next answer is worth having soon."""
        submitted = now.epoch - timings.JUST_SUBMITTED
        return any(
            session.state is SessionState.ENDING
            or (cheap and session.state is SessionState.QUEUED and (session.record.submitted or 0) > submitted)
            for session in self.live
        )

    def adopting(self, job_ids: Mapping[str, str]) -> Known:
        """The same, with the ids of these sessions' jobs {session key: job id} for the next time."""
        adopted = {key: replace(self._memory(key), job_id=job_id) for key, job_id in job_ids.items()}
        return replace(self, memories={**self.memories, **adopted})

    def _memory(self, key: str) -> Memory:
        return self.memories.get(key, Memory())

    def _without_id(self) -> Iterator[tuple[str, Facts]]:
        return ((key, facts) for key, facts in self.facts.items() if facts.record.job_id is None)


def derive(
    before: Known,
    facts: Mapping[str, Facts],
    statuses: Mapping[str, JobStatus],
    stale_since: float | None,
    now: Now,
    damaged: Mapping[str, Session] | None = None,
) -> Known:
    """What is known after a look that found these `facts`, with the scheduler's last words {job id: status}.

    `stale_since` is when the scheduler last answered (epoch), while it does not. Of the `damaged` sessions nothing is
    derived.
    """
    # a session may be known by its id before its folder is seen, and is forgotten with it
    kept = {key: item for key, item in before.memories.items() if key in facts or (item.job_id and not item.runs.seen)}
    found = {key: _session(item, kept.get(key, Memory()), statuses, now) for key, item in facts.items()}
    read = {key: replace(session, stale_since=stale_since) for key, (session, _) in found.items() if session}
    sessions = {**read, **_claims(read), **(damaged or {})}
    memories = {key: memory for key, (_, memory) in found.items()}
    return Known(
        facts=facts,
        sessions=sessions,
        memories={**kept, **memories},
        changed=tuple(new for key, new in sessions.items() if _visible(before.sessions.get(key)) != _visible(new)),
        news=tuple(
            facts[key]
            for key, memory in memories.items()
            if facts[key].run and memory.runs.seen != kept.get(key, Memory()).runs.seen
        ),
        gone=bool(set(before.sessions) - set(sessions)),
    )


def _claims(sessions: Mapping[str, Session]) -> dict[str, Session]:
    """Those whose record claims the job of an older one, as damaged: what was done to one, would be done to both."""
    owners: dict[str, str] = {}
    found = {}
    for key, session in sorted(sessions.items(), key=lambda item: (item[1].record.created, item[0])):
        owner = owners.setdefault(session.id, key)
        if owner != key:
            damage = (
                f"Its record claims the job {session.id}, which is that of the older session in the folder {owner}."
            )
            found[key] = Session.damaged(key, session.record.created, f"{damage} Remove one of both.")
    return found


def _session(
    facts: Facts, memory: Memory, statuses: Mapping[str, JobStatus], now: Now
) -> tuple[Session | None, Memory]:
    """The session that one folder tells of, None while it has no job, and what to remember of it."""
    record, spoken = facts.record, facts.connection or facts.end
    if record.job_id is None and memory.job_id is None and spoken:  # the job itself tells its id
        memory = replace(memory, job_id=spoken.job)
    job_id = record.job_id or memory.job_id
    if not job_id:
        return None, memory
    status = statuses.get(job_id) or unheard(job_id, record.submitted, now.epoch)
    runs = memory.runs.noticed(facts, now.monotonic)
    if status.asked > runs.since and not status.misses:  # a miss is no word: the last one is older than it
        runs = runs.judged(facts, status.job)
    current = runs.current(facts)
    job = _job(status, current, runs.since)
    session = Session(replace(record, job_id=job_id), job, current.connection, current.end, damage=current.damage)
    return session, replace(memory, runs=runs, settled=_settled(session, now.epoch))


def _job(status: JobStatus, facts: Facts, since: float) -> Job:
    """The scheduler's word, unless the job itself has spoken `since`; UNKNOWN is no word."""
    job = status.job
    if facts.end and status.misses:  # it is over and the scheduler has forgotten it
        return replace(job, state=JobState.COMPLETED, exit_status=facts.end.exit_status, cause=None)
    if job.state is not JobState.COMPLETED:  # PBS tells the exit status of the run before, too
        job = replace(job, exit_status=None, ended=None, cause=None)
    older = since > status.asked and job.state in SILENT
    if facts.run is not None and (older or job.state is JobState.UNKNOWN):
        return replace(job, state=JobState.RUNNING, node=facts.connection.node if facts.connection else job.node)
    return job


def _settled(session: Session, now: float) -> bool:
    """Whether it is over, and has been for a while."""
    over = session.end.time if session.end else session.job.ended
    final = session.state.final and not session.may_run  # one that may run may yet be told to stop
    return final and now - (over or session.record.created) > timings.SETTLE


def _visible(session: Session | None) -> object:
    """What of a session its user can see change."""
    if session is None:
        return None
    run = session.connection.run if session.connection else None
    job, told = session.job, (run, session.end, session.stale_since, session.damage)
    return (session.state, session.record.refused, job.state, job.node, job.comment, job.exit_status, *told)
