"""What operators do is shown soon while somebody looks: held, released, stopped, deleted; in real time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.batch.system import BatchSystem, server_of
from tests.support.deadline import eventually
from tests.support.extent import LONG
from tests.support.servers import JupyterServer

TIMES = 10 if LONG else 1
FLAVOURS = ["torque", "openpbs", "slurm"] if LONG else ["torque"]
LOOK_S = 1.0
"""Seconds between two looks of a page at the list."""


class Looker:
    """Somebody whose page looks at the list of sessions all the time."""

    def __init__(self, server: JupyterServer) -> None:
        self.server, self.waits = server, [0.0][:0]

    def state(self, job_id: str) -> str:
        time.sleep(LOOK_S)
        return next(str(session["state"]) for session in self.server.sessions() if session["id"] == job_id)

    def sees(self, job_id: str, deed: Callable[[], object], *states: str) -> None:
        """Does it, and notes how long it took until it was shown."""
        eventually(lambda: self.state(job_id) != "UNREACHABLE", 30, "that the job is known")
        deed()
        began = time.monotonic()
        eventually(lambda: self.state(job_id) in states, 60, f"{states} of {job_id}")
        self.waits.append(time.monotonic() - began)


@pytest.mark.timeout(1800 if LONG else 180)
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_what_operators_do_is_shown_soon(flavour: str, tmp_path: Path) -> None:
    system = BatchSystem(tmp_path / "batch", flavour)
    system.pause()
    server = server_of(tmp_path, system).start()
    looker, began = Looker(server), time.time()
    try:
        held = server.launch()["id"]
        number = held.partition(".")[0]
        for turn in range(TIMES):
            looker.sees(held, lambda: system.operate("qhold", number), "HELD")
            time.sleep(turn * 1.1)  # at whatever moment between two questions it happens
            looker.sees(held, lambda: system.operate("qrls", number), "QUEUED")
            other = server.launch()["id"]
            time.sleep(turn * 0.7)
            looker.sees(other, lambda job=other: system.operate("qdel", job.partition(".")[0]), "ENDED", "FAILED")
            third = server.launch()["id"]
            stop = f"qconnect/api/sessions/{third}/stop"
            looker.sees(third, lambda path=stop: server.request("POST", path), "ENDING", "ENDED", "FAILED")
        waits = sorted(looker.waits)
        soon, spent = waits[len(waits) * 9 // 10 - (len(waits) < 10)], time.time() - began
        print(
            f"{flavour}: {len(waits)} events, p50 {waits[len(waits) // 2]:.1f} s, p90 {soon:.1f}, most {waits[-1]:.1f}"
        )
        print(f"{flavour}: {len(system.calls(since=began))} commands in {spent:.0f} s")
        assert not LONG or soon <= 12
    finally:
        server.close()
