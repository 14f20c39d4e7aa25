"""The base of all that answers HTTP: who may ask, what every answer carries, and how a refusal is told."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from http.client import responses
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_server import CallContext
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from ..errors import QConnectError, UnknownSession
from ..sessions.audit import Caller, Deed
from ..values.job import JOB_ID
from ..values.session import KEY, Session
from .headers import SAFE_HEADERS, STRICT_CSP
from .origin import is_counterfeit, is_known_host, is_named_origin, is_own_origin
from .statuses import status_of

if TYPE_CHECKING:  # the one look up: what is built above is handed down in the web application's settings
    from ..site import Site

BRACKETS = {r"\[": r"(?:\[|%5[Bb])", r"\]": r"(?:\]|%5[Dd])"}
"""Those of `4[1].server` as addresses have them: tornado looks for a route before it decodes."""
NUMBERED = re.sub("|".join(map(re.escape, BRACKETS)), lambda found: BRACKETS[found[0]], JOB_ID.pattern)
JOB = f"({KEY.pattern}|{NUMBERED})"
"""A job id in an address of the API, or the key that a session without one goes by: one that is damaged."""
ANY_JOB = r"(?P<job_id>[^/]+)"
"""Whatever stands where a job id should, for addresses that answer a mistyped one, too; `find_session` knows better."""
UNREADABLE = "The address is not text in UTF-8. Copy it again, or type it."


def answers(method: Callable[..., Awaitable[None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    """Makes the package's own errors answers; anything else is a fault of ours and a 500."""

    @functools.wraps(method)
    async def wrapped(self: QConnectHandler, *args: str, **kwargs: str) -> None:
        try:
            await method(self, *args, **kwargs)
        except QConnectError as error:
            self.refuse_for(error)

    return wrapped


@web.stream_request_body  # a body is refused before it is read, not after
class QConnectHandler(JupyterHandler):
    """What all handlers share. The API, the pages and the displays each add one thin class of their own."""

    auth_resource = "qconnect"
    csp: str | None = STRICT_CSP
    """The policy of the answers, None: Jupyter's."""
    opens_websocket = False
    max_body = 0
    """Bytes that a request may bring."""

    @property
    def site(self) -> Site:
        """What the front doors work with."""
        site: Site = self.settings["qconnect"]
        return site

    def initialize(self) -> None:
        """Has the log know whose lines these are, whatever becomes of the request (`log_limit`)."""
        CallContext.set(CallContext.JUPYTER_HANDLER, self)
        self.brought = bytearray()
        try:
            urlsplit(self.request.headers.get("Referer", ""))
        except ValueError:  # Jupyter, which writes it into the log, would stumble
            del self.request.headers["Referer"]

    async def prepare(self, **options: Any) -> None:
        """Refuses a body that is too large; lets Jupyter find out who asks; nothing is done for a wrong page."""
        self.refuse_body()
        try:
            await super().prepare(**options)
        except web.HTTPError as error:
            if error.status_code != 404:  # Jupyter's word for a foreign Origin; it is a refusal, so say so
                raise
            self._refuse_page()
        if self.opens_websocket and not self.check_origin():
            self._refuse_page()

    def _refuse_page(self) -> None:
        """Answers a request that seems to be another web page's."""
        words = self.site.fronts.other_page(self.request, known=self.current_user is not None)
        self.refuse(403, words, "origin")

    def data_received(self, chunk: bytes) -> None:
        """Keeps the body as far as it may go; of one that announced no length, what is too much ends the request."""
        if len(self.brought) + len(chunk) > self.max_body:
            self.brought.clear()
            self.refuse(413, self._too_large(), "too-large")
        elif not self._finished:
            self.brought += chunk

    def refuse_body(self) -> None:
        """Ends the request with 413 when its body announces itself as too large, or where none is taken, as a body."""
        headers = self.request.headers
        lengths = re.split(r",\s*", headers.get("Content-Length", "0"))  # several that are equal are one
        if not all(re.fullmatch("[0-9]{1,18}", length) for length in lengths):  # Tornado looks after us
            raise web.HTTPError(400, "The length of the body is no number.")
        unknown = not self.max_body and "Transfer-Encoding" in headers
        if unknown or max(map(int, lengths)) > self.max_body:
            self.refuse(413, self._too_large(), "too-large")
            raise web.Finish

    def _too_large(self) -> str:
        return f"Send at most {self.max_body // 1024} KiB." if self.max_body else "Send no body to this address."

    def decode_argument(self, value: bytes | None, name: str | None = None) -> str:
        """As Tornado's, without the request's own bytes in the answer and the log."""
        try:
            return (value or b"").decode()  # None: a part of the route that may be missing
        except UnicodeDecodeError:
            raise web.HTTPError(400, UNREADABLE) from None

    def log_exception(self, *error: Any) -> None:
        """What cannot be read is told by the line of the request itself; all else as Tornado does it."""
        if getattr(error[1], "status_code", None) != 400:
            super().log_exception(*error)

    def check_host(self) -> bool:
        """Whether the request came under a name of Jupyter's and of the site's."""
        return super().check_host() and is_known_host(self.request, self.site.hosts)

    def check_origin(self, origin: str | None = None) -> bool:
        """The one rule on whose pages may ask.

        Browsers let any page open a websocket, with the user's cookie, and tell it by the Origin alone. So a websocket
        is opened only for a page of this very server, to the letter, for one that the site has named (`allow_origin`,
        `allow_origin_pat`) and that Jupyter therefore opens its own websockets for, or for a program: that brings a
        token in a header and, unlike any browser, no Origin. All else goes by Jupyter's rule: another page comes in
        when the site has named it or when it brings a token, unless it claims to be ours by another scheme; what
        changes anything wants our pages' `_xsrf`, too.
        """
        origin = self.request.headers.get("Origin")
        if not self.opens_websocket:
            return not (origin and is_counterfeit(origin, self.request)) and super().check_origin()
        if origin is None:
            return "Authorization" in self.request.headers and self.token_authenticated
        return is_own_origin(origin, self.request) or is_named_origin(origin, self.settings)

    @property
    def content_security_policy(self) -> str:
        return self.csp or super().content_security_policy

    def set_default_headers(self) -> None:
        """The policies that go with every answer."""
        super().set_default_headers()
        for name, value in SAFE_HEADERS.items():
            self.set_header(name, value)

    async def find_session(self, job_id: str) -> Session:
        """The session of a job id out of an address; raises UnknownSession, without a look for what cannot be one."""
        if not (JOB_ID.fullmatch(job_id) or KEY.fullmatch(job_id)):
            raise UnknownSession("There is no such session. Look at the list of your sessions for those you have.")
        return await self.site.sessions.find(job_id)

    def audited(self, event: str, *, job: str | None = None, app: str | None = None) -> AbstractContextManager[Deed]:
        """What this request does is noted, as that of its user and address, when it is done or was refused."""
        user = self.current_user
        caller = Caller(self.request.remote_ip or "?", user.username if user else None)
        return self.site.audit.deed(event, caller, job=job, app=app)

    def refuse(self, status: int, message: str, reason: str) -> None:
        """Answers with an error, if it is not too late for an answer."""
        if self._finished:
            return
        self.set_status(status)
        if status == 405:  # RFC 9110, 15.5.6
            self.set_header("Allow", ", ".join(self._methods()))
        kind, body = self.error_body(status, message, reason)
        self.set_header("Content-Type", kind)
        self.finish(body)

    def refuse_for(self, error: QConnectError) -> None:
        """Answers with one of the package's own errors."""
        self.refuse(status_of(error), error.message, error.reason)

    def error_body(self, status: int, message: str, reason: str) -> tuple[str, str]:
        """The content type and the text of an error."""
        return "application/json", json.dumps({"message": message, "reason": reason})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors of Jupyter and Tornado in the same shape as ours; nothing of the request is repeated."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        words = getattr(error, "log_message", None) if status_code < 500 else None
        told = responses.get(status_code, "Error")
        self.refuse(status_code, words or f"{told}.", told.lower().replace(" ", "-"))

    def _methods(self) -> list[str]:
        """The methods that this address has."""
        names = self.SUPPORTED_METHODS
        return [name for name in names if getattr(type(self), name.lower()) is not web.RequestHandler.get]
