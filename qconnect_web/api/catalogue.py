"""The catalogue: the apps, and their icons."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..http.base import answers
from ..values.app import App
from .base import ApiHandler

ICON_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
"""The policy of an app's icon, which a user's own app file may bring: opened directly, it can do nothing."""


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
        told = {"problems": self.site.apps.problems, "program": command_line(), "tile": self.site.settings.tile_starts}
        self.finish(json.dumps({"apps": apps, **told}))

    async def _describe(self, app: App) -> dict[str, Any]:
        reason = await self.site.sessions.unavailable(app)
        icon = f"{self.base_url}qconnect/api/apps/{quote(app.name)}/icon"
        told = self.site.apps.describe(app, available=reason is None, reason=reason, icon_url=icon)
        saved = (await self.site.forms.kept(app)).saved
        return {**told, "saved": [settings.to_json() for settings in saved]}


class IconHandler(ApiHandler):
    """An app's icon."""

    csp = ICON_CSP

    @web.authenticated
    @authorized
    @answers
    async def get(self, name: str) -> None:
        content = self.site.apps.get(name).icon.read_bytes()
        self.set_header("Cache-Control", "private, max-age=3600")
        self.finish(content, set_content_type="image/svg+xml")
