"""The installation: its batch system, its examination, the description of the API, and what is not in it."""

from __future__ import annotations

import json
from pathlib import Path

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..doctor import examine, to_json
from ..http.base import answers
from .base import ApiHandler

OPENAPI = Path(__file__).parents[1] / "openapi.yaml"


class QueuesHandler(ApiHandler):
    """The batch system, how it was found, and its queues."""

    @web.authenticated
    @authorized
    @answers
    async def get(self) -> None:
        flavour = self.site.flavour
        queues = [queue.to_json() for queue in await self.site.sessions.queues.known()]
        self.finish(json.dumps({"scheduler": {"name": flavour.name, "why": flavour.why}, "queues": queues}))


class DoctorHandler(ApiHandler):
    """What an examination of this installation found."""

    @web.authenticated
    @authorized
    @answers
    async def get(self) -> None:
        found = await examine(self.site.settings, self.site.sessions, self.site.flavour)
        self.finish(json.dumps(to_json(found)))


class OpenApiHandler(ApiHandler):
    """The description of all this."""

    @web.authenticated
    @authorized
    @answers
    async def get(self) -> None:
        self.finish(OPENAPI.read_bytes(), set_content_type="application/yaml")


class NowhereHandler(ApiHandler):
    """All other addresses: a 404 in the one shape of errors, whatever the method."""

    async def prepare(self) -> None:  # type: ignore[override]  # as there
        await super().prepare()
        if not self._finished:
            if self.current_user is None:
                raise web.HTTPError(403)
            self.refuse(
                404, "There is nothing at this address. See qconnect/api/openapi.yaml for all there is.", "not-found"
            )
