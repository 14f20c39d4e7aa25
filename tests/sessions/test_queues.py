"""What a queue can never run is refused before it is submitted, with the limit; queues are read seldom."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from traitlets.config import Config

from qconnect_web.config import QConnect
from qconnect_web.errors import BadFields, BadRequest, SchedulerFailed, SchedulerUnavailable
from qconnect_web.schedulers import More, Queue, unrationed
from qconnect_web.sessions import timings
from qconnect_web.sessions.job_cache import JobCache
from qconnect_web.sessions.queue_limits import check
from qconnect_web.sessions.queues import Queues, queue_for, usual_memory
from qconnect_web.sessions.start import _tell_at_gpus
from qconnect_web.sessions.store import Store
from qconnect_web.site import build_sessions
from qconnect_web.values.job import Job, JobSpec
from tests.batch.system import BatchSystem
from tests.sessions.defaults import job_cache
from tests.support.deadline import aeventually
from tests.support.recordings import TORQUE, recorded

pytestmark = pytest.mark.unit
GB = 1 << 30
GUI = Queue(
    "gui",
    default=True,
    max_walltime_s=12 * 3600,
    max_nodes=2,
    max_cores=6,
    max_memory=10 * GB,
    node_cores=4,
    node_memory=8 * GB,
    memory_per_core=2 * GB,
    node_gpus=2,
    gpu_types=("a100",),
)
SPEC = JobSpec("x", cores=2, memory="4GB", walltime="12:00:00")


class Told:
    """A batch system that tells its queues, or nothing, and counts the questions."""

    name, dialect, cheap = "told", "pbs", False
    ignores: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.asked = 0
        self.answer: list[Queue] | None = [GUI]
        self.delay = 0.0

    async def queues(self, more: More = unrationed) -> list[Queue]:
        self.asked += 1
        await asyncio.sleep(self.delay)
        if self.answer is None:
            raise SchedulerUnavailable("down")
        return self.answer

    async def submit(self, script: str, spec: JobSpec, *, session: str, folder: Path) -> str:
        raise NotImplementedError

    async def query(self, job_ids: list[str], more: More = unrationed) -> dict[str, Job]:
        raise NotImplementedError

    async def mine(self, more: More = unrationed) -> list[Job]:
        raise NotImplementedError

    async def cancel(self, job_id: str) -> None:
        raise NotImplementedError

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        return None


@pytest.fixture
def told() -> Told:
    return Told()


def cache_of(told: Told) -> JobCache:
    """What counts the questions; of jobs none is asked here, and so nothing is stored."""
    return job_cache(told, Store(Path("/nowhere")))


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        ({"walltime": "12:00:01"}, "allows 12:00:00"),
        ({"nodes": 3, "cores": 1}, "allows 2"),
        ({"nodes": 2, "cores": 4}, "allows 6"),
        ({"cores": 5}, "nodes with 4 cores"),
        ({"memory": "9GB"}, "nodes with 8GB"),
        ({"memory": "11GB", "nodes": 2}, "allows 10GB"),
        ({"gpus": 3}, "has nodes with 2"),
    ],
)
def test_each_limit_is_named(change: dict[str, object], limit: str) -> None:
    check(SPEC, GUI)
    with pytest.raises(BadRequest, match=limit) as refusal:
        check(replace(SPEC, **change), GUI)  # type: ignore[arg-type]
    assert "queue gui" in refusal.value.message
    assert refusal.value.reason == "limits"
    assert refusal.value.fields.keys() <= change.keys()


def test_as_much_as_a_queue_allows_may_be_asked_for() -> None:
    most = {"nodes": 2, "cores": 3, "memory": "10GB", "walltime": "12:00:00", "gpus": 2, "gpu_type": "a100"}
    check(replace(SPEC, **most), GUI)  # type: ignore[arg-type]
    check(replace(SPEC, nodes=1, cores=4, memory="8GB"), GUI)


def test_each_field_that_is_beyond_a_limit_is_told_at_once() -> None:
    beyond = replace(SPEC, walltime="99:00:00", memory="99GB", gpus=9, gpu_type="v100")
    with pytest.raises(BadFields) as refusal:
        check(beyond, GUI)
    assert set(refusal.value.fields) == {"walltime", "memory", "gpus", "gpu_type"}
    with pytest.raises(BadFields, match="The queue gui has no GPUs"):
        check(replace(SPEC, gpus=1), replace(GUI, node_gpus=0))


def test_a_queue_that_takes_no_jobs_is_named() -> None:
    with pytest.raises(BadRequest, match="gui takes no jobs now"):
        check(SPEC, replace(GUI, enabled=False))
    check(SPEC, replace(GUI, started=False))  # it waits, and the batch system says for what


def test_what_is_not_known_is_not_held_against_a_job() -> None:
    check(replace(SPEC, cores=512, nodes=40, memory="9TB", walltime="900:00:00"), Queue("any"))
    check(replace(SPEC, gpus=1, gpu_type="v100"), replace(GUI, gpu_types=()))


def test_the_queue_is_the_named_one_or_the_default_one_or_the_only_one() -> None:
    other = Queue("other")
    assert queue_for(replace(SPEC, queue="other"), [GUI, other]) is other
    assert queue_for(replace(SPEC, queue="hidden"), [GUI, other]) is None
    assert queue_for(SPEC, [other, GUI]) is GUI
    assert queue_for(SPEC, [other]) is other
    assert queue_for(SPEC, [other, Queue("third")]) is None


def test_the_usual_memory_is_cores_times_memory_per_core_within_the_limits() -> None:
    assert usual_memory(SPEC, GUI) == 4 * GB
    assert usual_memory(replace(SPEC, cores=4, nodes=2), GUI) == 10 * GB
    assert usual_memory(replace(SPEC, memory="1GB"), replace(GUI, memory_per_core=None)) == GB
    assert usual_memory(SPEC, replace(GUI, memory_per_core=1 << 20)) == 256 << 20


def fitted(told: Told, spec: JobSpec = SPEC, *, memory_given: bool = True) -> JobSpec:
    return asyncio.run(Queues(cache_of(told)).fitted(spec, memory_given=memory_given))


def test_memory_that_nobody_asked_for_is_the_queues(told: Told) -> None:
    assert fitted(told, memory_given=False).memory == "4GB"
    assert fitted(told, replace(SPEC, memory="3GB")).memory == "3GB"
    told.answer = None
    assert fitted(told, replace(SPEC, memory="1GB"), memory_given=False).memory == "1GB"


def test_a_silent_batch_system_stops_no_start_and_delays_it_little(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timings, "QUEUES_PATIENCE", 0.2)
    told.delay = 30
    before = time.monotonic()
    assert fitted(told) == SPEC
    assert time.monotonic() - before < 2


def test_queues_are_asked_for_once_however_many_want_them(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    told.delay = 0.05

    async def many() -> None:
        known = Queues(cache_of(told))
        await asyncio.gather(*(known.known() for _ in range(20)), known.fitted(SPEC, memory_given=True))
        assert told.asked == 1
        assert await known.known() == [GUI]
        assert told.asked == 1
        monotonic = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + timings.QUEUES_FRESH + 1)
        await known.known()
        assert told.asked == 2

    asyncio.run(many())


def test_limits_that_were_told_once_still_count_while_the_batch_system_is_silent(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def later() -> None:
        known = Queues(cache_of(told))
        await known.known()
        monotonic = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + timings.QUEUES_FRESH + 1)
        told.answer = None
        with pytest.raises(BadRequest, match="allows 12:00:00"):
            await known.fitted(replace(SPEC, walltime="99:00:00"), memory_given=True)
        with pytest.raises(SchedulerUnavailable):
            await known.known()

    asyncio.run(later())


def test_the_recorded_queue_refuses_what_torque_refused() -> None:
    from qconnect_web.schedulers.pbs import torque

    told = torque.queues(recorded(TORQUE, "qstat-Qf"), recorded(TORQUE, "pbsnodes-x"), recorded(TORQUE, "qstat-B-f"))
    interactive = next(queue for queue in told if queue.name == "interactive")
    with pytest.raises(BadRequest, match="allows 12:00:00"):  # qsub-walltime-over-queue-max
        check(replace(SPEC, walltime="100:00:00"), interactive)
    with pytest.raises(BadRequest, match="4 cores"):  # qsub-too-many-ppn
        check(replace(SPEC, cores=64), interactive)
    with pytest.raises(BadRequest, match="nodes with 24105MB"):  # TORQUE takes this one and runs it: qsub-mem-100gb
        check(replace(SPEC, memory="100GB"), interactive)


LEAVES = """
import asyncio, sys
from traitlets.config import Config
from qconnect_web.config import QConnect
from qconnect_web.sessions.start import _tell_at_gpus
from qconnect_web.site import build_sessions
settings = {"scheduler": "torque", "sessions_dir": sys.argv[1]}
async def leave(steps):
    manager = build_sessions(QConnect(config=Config({"QConnect": settings})))
    asking = asyncio.create_task(manager.queues.known())
    for _ in range(steps):
        await asyncio.sleep(0)
    await manager.close()
for steps in range(16):
    asyncio.run(leave(steps))
"""


def test_who_leaves_while_the_queues_are_asked_for_is_not_held_up(tmp_path: Path) -> None:
    """At whatever step of starting the command: the event loop's end would wait for one that is half started."""
    system = BatchSystem(tmp_path / "batch", "torque")
    system.fault("qstat", "sleep 60")
    env = {**os.environ, "PATH": f"{system.root}/bin:{os.environ['PATH']}"}
    done = subprocess.run([sys.executable, "-c", LEAVES, str(tmp_path / "sessions")], env=env, timeout=30, check=False)
    assert done.returncode == 0
    assert system.alive("qstat") == 0


def test_a_start_that_waits_for_the_queues_is_finished_by_who_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = BatchSystem(tmp_path / "batch", "torque")
    system.pause()
    system.fault("qstat", "sleep 0.5")
    monkeypatch.setenv("PATH", f"{system.root}/bin:{os.environ['PATH']}")
    site = QConnect(config=Config({"QConnect": {"scheduler": "torque", "sessions_dir": str(tmp_path / "sessions")}}))

    async def leave() -> None:
        manager = build_sessions(site)
        starting = asyncio.create_task(manager.start("xterm", {}))
        await aeventually(lambda: system.alive("qstat"), 10, "the question after queues")
        await manager.close()
        assert (await starting).id == "1.head"

    asyncio.run(leave())
    assert len(system.jobs()) == 1


def test_queues_that_are_known_cost_no_question_that_others_wait_for(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are counted with the questions about jobs, and asked for anew when there are some to spare."""
    cache = cache_of(told)
    monkeypatch.setattr(timings, "QUEUES_FRESH", 0.0)

    async def play() -> None:
        queues = Queues(cache)
        for number in range(10):
            await queues.known()
            assert told.asked == len(cache.budget.asked) == min(number + 1, 2)

    asyncio.run(play())


@pytest.mark.parametrize(("gpus", "reason", "told"), [(1, "limits", True), (0, "limits", False), (1, "account", False)])
def test_a_refusal_for_want_of_nodes_stands_at_the_gpus_that_were_asked_for(gpus: int, reason: str, told: bool) -> None:
    error = SchedulerFailed("No node has so much.", reason=reason)
    _tell_at_gpus(error, replace(SPEC, gpus=gpus))
    assert error.fields == ({"gpus": "No node has so much."} if told else {})
