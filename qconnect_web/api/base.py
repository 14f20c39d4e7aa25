"""What the handlers of the API share: JSON bodies, of a bounded size, from pages that may send them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jupyter_server.base.handlers import APIHandler

from ..errors import BadRequest, QConnectError
from ..http.base import QConnectHandler


class ApiHandler(QConnectHandler, APIHandler):
    """One address of the API."""

    csp: str | None = None
    max_body = 64 * 1024
    wrong: Mapping[str, str] = {}
    """What is wrong with which field of a form, once a request was refused for that."""

    @property
    def _track_activity(self) -> bool:  # type: ignore[override]  # a plain attribute there
        """Whether Jupyter counts this request as its user's work: pages ask for lists by themselves."""
        return self.request.method not in ("GET", "HEAD")

    async def prepare(self) -> None:  # type: ignore[override]  # tornado allows both kinds of prepare
        await super().prepare()
        if self.request.method not in ("GET", "HEAD") and not self._is_json() and not self._finished:
            self.refuse(415, "Send JSON, with Content-Type: application/json.", "not-json")

    def refuse_for(self, error: QConnectError) -> None:
        self.wrong = error.fields
        super().refuse_for(error)

    def error_body(self, status: int, message: str, reason: str) -> tuple[str, str]:
        """The error as JSON, with the fields that it is about."""
        told = {"message": message, "reason": reason, **({"fields": self.wrong} if self.wrong else {})}
        return "application/json", json.dumps(told)

    def _is_json(self) -> bool:
        """Whether the body claims to be JSON; none needs no claim. Any web page may send forms and plain text."""
        kind = self.request.headers.get("Content-Type", "application/json")
        return kind.partition(";")[0].strip().lower() == "application/json"

    def json_body(self, *keys: str) -> dict[str, Any]:
        """The request's JSON object, with no keys but these; raises BadRequest."""
        try:
            data = json.loads(bytes(self.brought))
        except (ValueError, RecursionError):
            raise BadRequest('The body is not JSON. Send an object like {"app": "xterm"}.') from None
        if not isinstance(data, dict):
            raise BadRequest('Send a JSON object, like {"app": "xterm"}.')
        if unknown := set(data) - set(keys):
            raise BadRequest(f"There is no {', '.join(sorted(unknown))[:80]!r} here. Known: {', '.join(keys)}.")
        return data
