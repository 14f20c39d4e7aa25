"""A Jupyter extension for the benchmark alone: keeps the server's loop busy for 200 ms of each second, on request.

`POST bench/stalls?gil=free` is what a slow file system does (the loop waits in a system call), `gil=held` what a large
notebook does (no thread of Python runs); `gil=none` ends it.
"""

from __future__ import annotations

import ctypes
import time
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.ioloop import PeriodicCallback

PERIOD_MS = 1000
STALL_S = 0.2
STALLS = {
    "free": lambda: time.sleep(STALL_S),
    "held": lambda: ctypes.PyDLL(None).usleep(int(STALL_S * 1e6)),  # PyDLL keeps the lock, CDLL would let it go
}


class Stalls(APIHandler):
    """Starts and ends the stalls."""

    @web.authenticated
    def post(self) -> None:
        running: PeriodicCallback | None = self.settings.pop("bench_stalls", None)
        if running:
            running.stop()
        if (gil := self.get_query_argument("gil")) != "none":
            running = PeriodicCallback(STALLS[gil], PERIOD_MS)
            running.start()
            self.settings["bench_stalls"] = running
        self.set_status(204)
        self.finish()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "tests.bench.stalls"}]


def _load_jupyter_server_extension(app: Any) -> None:
    app.web_app.add_handlers(".*$", [(url_path_join(app.base_url, "bench/stalls"), Stalls)])
