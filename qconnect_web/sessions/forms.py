"""The launch form of an app as it is now: its schema, the queues' limits, what is installed, what its user saved."""

from __future__ import annotations

import asyncio
from typing import Any

from ..apps.catalogue import Catalogue
from ..apps.form_schema import form
from ..apps.limits import listed, of_files
from ..apps.modules import Modules
from ..apps.saved import Launches, SavedLaunches, Settings
from ..errors import QConnectError
from ..schedulers import Queue, Scheduler
from ..values.app import App
from . import timings
from .queue_limits import limits
from .queues import Queues, default_queue


class Forms:
    """What a form is made of, from all who know something of it; nobody is waited for longer than some seconds."""

    def __init__(self, *, apps: Catalogue, queues: Queues, scheduler: Scheduler, saved: SavedLaunches) -> None:
        self._apps, self._queues, self._scheduler, self.saved = apps, queues, scheduler, saved
        self._modules = Modules()

    async def form(self, name: str) -> dict[str, Any]:
        """The form as JSON; what could not be told is left out, with the reason in `problems`."""
        app = self._apps.get(name)
        problems: dict[str, str] = {}
        queues, launches, modules = await asyncio.gather(
            self._queues.soon(), self._launches(app, problems), self._module_choices(app, problems)
        )
        chosen = default_queue(queues)
        if not queues:
            problems["queue"] = "The batch system has not told its queues yet, so their limits are not known here."
        return {
            "form": form(app),
            "queues": [queue.to_json() for queue in queues],
            "default_queue": chosen.name if chosen else None,
            "limits": [
                limit.to_json() for limit in (*of_files(app), *(one for queue in queues for one in limits(queue)))
            ],
            "choices": {**modules, **_gpu_choices(app, queues)},
            "ignored": sorted(self._scheduler.ignores),
            "problems": problems,
            **launches.to_json(),
        }

    async def last(self, name: str) -> Settings:
        """What was asked for the last time; nothing, where that cannot be told."""
        launches = await self._launches(self._apps.get(name), {})
        return launches.last or Settings({})

    async def remember(self, name: str, settings: Settings) -> None:
        """Keeps what was asked for, for the next click; raises StorageFailed, DamagedFile and Forbidden."""
        await asyncio.to_thread(self.saved.remember, self._apps.get(name).name, settings)

    async def save(self, name: str, settings: Settings) -> Settings:
        """Keeps settings by name; raises BadFields for those that no job could be asked with, and as `remember`."""
        app = self._apps.get(name)
        self._apps.job_spec(app, settings.spec, await self._queues.default())
        return await asyncio.to_thread(self.saved.save, app.name, settings)

    async def kept(self, app: App) -> Launches:
        """What is kept of an app; nothing where that cannot be read, which its form says."""
        return await self._launches(app, {})

    async def _launches(self, app: App, problems: dict[str, str]) -> Launches:
        try:
            return await asyncio.to_thread(self.saved.of, app.name)
        except QConnectError as error:
            problems["saved"] = error.message
            return Launches()

    async def _module_choices(self, app: App, problems: dict[str, str]) -> dict[str, list[str]]:
        """The versions of each module that is asked for, of those that answer in time."""
        asked = [field for field in app.fields if field.kind == "module"]
        tasks = [asyncio.ensure_future(self._modules.versions(field.module)) for field in asked]
        if tasks:
            await asyncio.wait(tasks, timeout=timings.MODULES_PATIENCE)
        found = {}
        for field, task in zip(asked, tasks, strict=True):
            versions = task.result() if task.done() else None
            if versions is None:
                problems[field.name] = "The module system here does not tell its versions. Type the one that you want."
            else:
                found[field.name] = versions
        return found


def _gpu_choices(app: App, queues: list[Queue]) -> dict[str, list[str]]:
    """The types of GPU that there are: those that the app file and the site list, else all of the queues."""
    known = listed(app, "gpu_type") or sorted({kind for queue in queues for kind in queue.gpu_types})
    asking = ["gpu_type", *(field.name for field in app.fields if field.kind == "gpu")]
    return dict.fromkeys(asking, known) if known else {}
