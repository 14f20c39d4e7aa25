"""Sessions: listed, started, looked at, stopped and forgotten."""

from __future__ import annotations

import json
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..apps.saved import Settings
from ..errors import BadRequest, QConnectError
from ..http.base import answers
from .base import ApiHandler


class SessionsHandler(ApiHandler):
    """The list of sessions, and starting one."""

    @web.authenticated
    @authorized
    @answers
    async def get(self) -> None:
        sessions = await self.site.sessions.list()
        found = [self.site.sessions.describe(session, self.base_url) for session in sessions]
        self.finish(json.dumps({"sessions": found}))

    @web.authenticated
    @authorized
    @answers
    async def post(self) -> None:
        data = self.json_body("app", "spec", "command", "last", "remember")
        app, spec = data.get("app"), data.get("spec", {})
        if not isinstance(app, str) or not isinstance(spec, dict):
            raise BadRequest('Name the app to start: {"app": "xterm", "spec": {"cores": 1}}.')
        key = self.request.headers.get("Idempotency-Key")
        asked = Settings(spec, data.get("command"))
        if data.get("last") is True:
            last = await self.site.forms.last(app)
            asked = Settings({**last.spec, **spec}, asked.command or last.command)
        with self.audited("start", app=app) as deed:
            session = await self.site.sessions.start(app, asked.spec, asked.command, key, patient=False)
            deed.session = session
        if data.get("remember") is True:
            await self._remember(app, asked)
        described = self.site.sessions.describe(session, self.base_url)
        self.set_status(201)
        self.set_header("Location", f"{self.base_url}qconnect/api/sessions/{quote(session.id)}")
        self.finish(json.dumps(described))

    async def _remember(self, app: str, asked: Settings) -> None:
        """Keeps what was asked for; the session has started, whatever becomes of that."""
        try:
            await self.site.forms.remember(app, asked)
        except QConnectError as error:
            self.log.warning("qconnect: what was asked for is not kept for the next time: %s", error.message)


class SessionHandler(ApiHandler):
    """One session, and forgetting it."""

    @web.authenticated
    @authorized
    @answers
    async def get(self, job_id: str) -> None:
        session = await self.find_session(job_id)
        self.finish(json.dumps(self.site.sessions.describe(session, self.base_url)))

    @web.authenticated
    @authorized
    @answers
    async def delete(self, job_id: str) -> None:
        with self.audited("remove", job=job_id) as deed:
            deed.session = await self.find_session(job_id)
            await self.site.sessions.forget(job_id)
        self.set_status(204)
        self.finish()


class StopHandler(ApiHandler):
    """Stopping a session."""

    @web.authenticated
    @authorized
    @answers
    async def post(self, job_id: str) -> None:
        with self.audited("stop", job=job_id) as deed:
            deed.session = await self.find_session(job_id)
            session = await self.site.sessions.stop(job_id)
        self.finish(json.dumps(self.site.sessions.describe(session, self.base_url)))


class LogHandler(ApiHandler):
    """The ends of a session's logs."""

    @web.authenticated
    @authorized
    @answers
    async def get(self, job_id: str) -> None:
        self.finish(json.dumps({"log": await self.site.sessions.log(job_id)}))


class ScriptHandler(ApiHandler):
    """A session's job script as submitted."""

    @web.authenticated
    @authorized
    @answers
    async def get(self, job_id: str) -> None:
        self.finish(json.dumps({"script": await self.site.sessions.script(job_id)}))
