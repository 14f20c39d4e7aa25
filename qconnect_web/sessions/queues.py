"""The batch system's queues, read seldom, and what they mean for a job before it is submitted."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace

from ..aio import stop
from ..errors import QConnectError
from ..schedulers import Queue
from ..units import format_memory
from ..values.job import JobSpec
from . import timings
from .job_cache import JobCache
from .queue_limits import MB, check


class Queues:
    """The queues as they were last told; one question at a time, however many ask."""

    def __init__(self, cache: JobCache) -> None:
        self._cache, self._scheduler = cache, cache.scheduler
        self._known: list[Queue] = []
        self._told = float("-inf")
        self._asking: asyncio.Task[list[Queue]] | None = None

    async def known(self) -> list[Queue]:
        """The queues, at most QUEUES_FRESH old; raises SchedulerFailed and its heirs when they cannot be told."""
        if time.monotonic() - self._told < timings.QUEUES_FRESH:
            return self._known
        return await asyncio.shield(self._ask())

    async def fitted(self, spec: JobSpec, *, memory_given: bool) -> JobSpec:
        """The spec, with the queue's memory for its cores unless it was `memory_given`.

        Raises BadFields, naming the limits, for what the queue can never run. What is not known is not held against
        it: then the batch system decides.
        """
        queues = await self.soon()
        chosen = queue_for(spec, queues)
        if not memory_given:
            spec = replace(spec, memory=format_memory(usual_memory(spec, chosen)))
        if chosen and not self._scheduler.cheap:  # a cheap one checks for itself
            check(spec, chosen)
        return spec

    async def default(self) -> str | None:
        """The name of the queue that a job without one goes to, as far as that is known soon."""
        chosen = default_queue(await self.soon())
        return chosen.name if chosen else None

    async def soon(self) -> list[Queue]:
        """What is known of the queues now; asks if nothing is, and sees to it that it will be known soon."""
        if time.monotonic() - self._told >= timings.QUEUES_FRESH:
            asking = self._ask()
            if not self._known:
                with suppress(QConnectError, asyncio.TimeoutError):
                    await asyncio.wait_for(asyncio.shield(asking), timings.QUEUES_PATIENCE)
        return self._known

    async def close(self) -> None:
        """Ends a question that is under way."""
        if self._asking:
            await stop(self._asking)

    def _ask(self) -> asyncio.Task[list[Queue]]:
        """The question that is under way."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._read())
            self._asking.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may wait for it
        return self._asking

    async def _read(self) -> list[Queue]:
        if self._told == float("-inf"):
            self._cache.more(must=True)
        elif not self._cache.spare(timings.QUEUE_QUESTIONS):  # what was told will do until there are some to spare
            return self._known
        self._known = await self._scheduler.queues(self._cache.more)
        self._told = time.monotonic()
        return self._known


def queue_for(spec: JobSpec, queues: list[Queue]) -> Queue | None:
    """The queue that the job goes to, as far as that is known: the one it names, else the default one."""
    if spec.queue is not None:
        return next((queue for queue in queues if queue.name == spec.queue), None)
    return default_queue(queues)


def default_queue(queues: list[Queue]) -> Queue | None:
    """The queue that a job without one goes to; the only one, where none is said to be that."""
    return next((queue for queue in queues if queue.default), queues[0] if len(queues) == 1 else None)


def usual_memory(spec: JobSpec, queue: Queue | None) -> int:
    """Cores × the queue's memory per core, as qconnect 1.8.1 did, within its limits; else what a spec asks for."""
    if queue is None or queue.memory_per_core is None:
        return spec.memory_bytes
    most = [limit for limit in (queue.max_memory, queue.node_memory and queue.node_memory * spec.nodes) if limit]
    return max(256 * MB, min([spec.cores * spec.nodes * queue.memory_per_core, *most]) // MB * MB)
