"""REST: JSON in, SessionManager, JSON out; and the one table from errors to statuses."""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Awaitable, Callable
from http.client import responses
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from ..config import Site
from ..doctor import examine, to_json
from ..errors import BadRequest, QConnectError
from ..http.origin import is_known_host
from ..http.statuses import status_of
from ..values.app import App
from ..values.job import JOB_ID

MAX_BODY = 64 * 1024
ICON_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
"""The policy of an app's icon, which a user's own app file may bring: opened directly, it can do nothing."""
OPENAPI = Path(__file__).parents[1] / "openapi.yaml"
Handler = TypeVar("Handler", bound="ApiHandler")


def answers(method: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Makes the package's own errors answers; anything else is a fault of ours and a 500."""

    @functools.wraps(method)
    async def wrapped(self: ApiHandler, *args: str) -> None:
        try:
            await method(self, *args)
        except QConnectError as error:
            self.refuse(status_of(error), error.message, error.reason)

    return wrapped


class ApiHandler(APIHandler):
    """What all REST handlers share: the site, JSON bodies, and errors of one shape."""

    auth_resource = "qconnect"

    @property
    def _track_activity(self) -> bool:  # type: ignore[override]  # a plain attribute there
        """Whether Jupyter counts this request as its user's work: pages ask for lists by themselves."""
        return self.request.method not in ("GET", "HEAD")

    @property
    def site(self) -> Site:
        site: Site = self.settings["qconnect"]
        return site

    def check_host(self) -> bool:
        return super().check_host() and is_known_host(self.request, self.site.hosts)

    async def prepare(self) -> None:  # type: ignore[override]  # tornado allows both kinds of prepare
        try:
            await super().prepare()
        except web.HTTPError as error:
            if error.status_code == 404:  # Jupyter's word for a foreign Origin; it is a refusal, so say so
                raise web.HTTPError(403, "This request comes from another web page, so it was refused.") from None
            raise
        if len(self.request.body) > MAX_BODY and not self._finished:
            self.refuse(413, f"The request is larger than {MAX_BODY // 1024} KiB.", "too-large")

        elif self.request.method not in ("GET", "HEAD") and not self._is_json() and not self._finished:
            self.refuse(415, "Send JSON, with Content-Type: application/json.", "not-json")

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "no-referrer")

    def _is_json(self) -> bool:
        """Whether the body claims to be JSON; none needs no claim. Any web page may send forms and plain text."""
        kind = self.request.headers.get("Content-Type", "application/json")
        return kind.partition(";")[0].strip().lower() == "application/json"

    def refuse(self, status: int, message: str, reason: str) -> None:
        """Answers with an error."""
        self.set_status(status)
        self.finish(json.dumps({"message": message, "reason": reason}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors of Jupyter and Tornado in the same shape as ours; nothing of the request is repeated."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        words = getattr(error, "log_message", None) if status_code < 500 else None
        message = words or f"{responses.get(status_code, 'Error')}."
        self.set_header("Content-Type", "application/json")
        if status_code == 405:  # RFC 9110, 15.5.6
            self.set_header("Allow", ", ".join(self._methods()))
        self.finish(
            json.dumps({"message": message, "reason": responses.get(status_code, "error").lower().replace(" ", "-")})
        )

    def _methods(self) -> list[str]:
        """The methods that this address has."""
        names = self.SUPPORTED_METHODS
        return [name for name in names if getattr(type(self), name.lower()) is not web.RequestHandler.get]

    def json_body(self, *keys: str) -> dict[str, Any]:
        """The request's JSON object, with no keys but these; raises BadRequest."""
        try:
            data = json.loads(self.request.body)
        except ValueError:
            raise BadRequest('The body is not JSON. Send an object like {"app": "xterm"}.') from None
        if not isinstance(data, dict):
            raise BadRequest('Send a JSON object, like {"app": "xterm"}.')
        if unknown := set(data) - set(keys):
            raise BadRequest(f"There is no {', '.join(sorted(unknown))[:80]!r} here. Known: {', '.join(keys)}.")
        return data


def command_line() -> str:
    """Where the command line's `qconnect` is on this machine: beside our own Python, where pip has put it."""
    beside = Path(sys.executable).with_name("qconnect")
    return str(beside) if beside.exists() else "qconnect"


class AppsHandler(ApiHandler):
    """The catalogue."""

    @web.authenticated
    @authorized
    @answers
    async def get(self) -> None:
        apps = [await self._describe(app) for app in self.site.apps.apps()]
        self.finish(json.dumps({"apps": apps, "problems": self.site.apps.problems, "program": command_line()}))

    async def _describe(self, app: App) -> dict[str, Any]:
        reason = await self.site.sessions.unavailable(app)
        icon = f"{self.base_url}qconnect/api/apps/{quote(app.name)}/icon"
        return self.site.apps.describe(app, available=reason is None, reason=reason, icon_url=icon)


class IconHandler(ApiHandler):
    """An app's icon."""

    @web.authenticated
    @authorized
    @answers
    async def get(self, name: str) -> None:
        content = self.site.apps.get(name).icon.read_bytes()
        self.set_header("Cache-Control", "private, max-age=3600")
        self.finish(content, set_content_type="image/svg+xml")

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Content-Security-Policy", ICON_CSP)


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
        data = self.json_body("app", "spec", "command")
        app, spec = data.get("app"), data.get("spec", {})
        if not isinstance(app, str) or not isinstance(spec, dict):
            raise BadRequest('Name the app to start: {"app": "xterm", "spec": {"cores": 1}}.')
        key = self.request.headers.get("Idempotency-Key")
        session = await self.site.sessions.start(app, spec, data.get("command"), key)
        described = self.site.sessions.describe(session, self.base_url)
        self.set_status(201)
        self.set_header("Location", f"{self.base_url}qconnect/api/sessions/{quote(session.id)}")
        self.finish(json.dumps(described))


class SessionHandler(ApiHandler):
    """One session, and forgetting it."""

    @web.authenticated
    @authorized
    @answers
    async def get(self, job_id: str) -> None:
        session = await self.site.sessions.find(job_id)
        self.finish(json.dumps(self.site.sessions.describe(session, self.base_url)))

    @web.authenticated
    @authorized
    @answers
    async def delete(self, job_id: str) -> None:
        await self.site.sessions.forget(job_id)
        self.set_status(204)
        self.finish()


class StopHandler(ApiHandler):
    """Stopping a session."""

    @web.authenticated
    @authorized
    @answers
    async def post(self, job_id: str) -> None:
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


BRACKETS = {r"\[": r"(?:\[|%5[Bb])", r"\]": r"(?:\]|%5[Dd])"}
"""Those of `4[1].server` as addresses have them: tornado looks for a route before it decodes."""
JOB = f"({re.sub('|'.join(map(re.escape, BRACKETS)), lambda found: BRACKETS[found[0]], JOB_ID.pattern)})"
HANDLERS: list[tuple[str, type[ApiHandler]]] = [
    (r"api/apps", AppsHandler),
    (r"api/apps/([A-Za-z0-9._-]{1,64})/icon", IconHandler),
    (r"api/queues", QueuesHandler),
    (r"api/doctor", DoctorHandler),
    (r"api/sessions", SessionsHandler),
    (rf"api/sessions/{JOB}", SessionHandler),
    (rf"api/sessions/{JOB}/stop", StopHandler),
    (rf"api/sessions/{JOB}/log", LogHandler),
    (rf"api/sessions/{JOB}/script", ScriptHandler),
    (r"api/openapi\.yaml", OpenApiHandler),
    (r"api/.+", NowhereHandler),
]
