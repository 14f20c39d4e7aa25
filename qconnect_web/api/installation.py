"""The installation: its batch system, its examination, the description of the API, and what is not in it."""

from __future__ import annotations

import json
from pathlib import Path

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..doctor import examine, to_json
from ..doctor.front import before
from ..doctor.probe import APP
from ..doctor.running import probe_of
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
        page = self.get_query_argument("page", None)
        found = await examine(self.site.settings, self.site.sessions, self.site.flavour)
        found += before(self.request.headers, page)
        self.finish(json.dumps({**to_json(found), "probe": probe_of(self.settings).to_json()}))


class ProbeHandler(ApiHandler):
    """One small real job that looks at its node, and what the last one found."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        self.finish(json.dumps(probe_of(self.settings).to_json()))

    @web.authenticated
    @authorized
    @answers
    async def post(self) -> None:
        probe = probe_of(self.settings)
        with self.audited("start", app=APP.name):
            probe.begin(self.site.settings, self.site.sessions)
        self.set_status(202)
        self.finish(json.dumps(probe.to_json()))


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
