"""The launch form of an app: what may be asked for now, its script before it is submitted, and what users saved."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..apps.saved import Settings
from ..errors import BadRequest
from ..http.base import answers
from .base import ApiHandler


class LaunchHandler(ApiHandler):
    """An address below one app's, which takes what a start takes."""

    def asked(self, *more: str) -> dict[str, Any]:
        """The body, with a spec in it; raises BadRequest."""
        data = {"spec": {}, "command": None, **self.json_body("spec", "command", *more)}
        if not isinstance(data["spec"], dict):
            raise BadRequest('The spec must be an object, like {"spec": {"cores": 4}}.')
        return data


class FormHandler(LaunchHandler):
    """What may be asked for, with the limits of the moment."""

    @web.authenticated
    @authorized
    @answers
    async def get(self, name: str) -> None:
        found = await self.site.forms.form(name)
        self.finish(json.dumps({**found, "folder": self.contents_folder()}))

    def contents_folder(self) -> str:
        """Where the files of Jupyter's contents lie, in full."""
        return str(Path(self.settings.get("server_root_dir", "")).expanduser())


class PreviewHandler(LaunchHandler):
    """The script that a start would submit."""

    @web.authenticated
    @authorized
    @answers
    async def post(self, name: str) -> None:
        data = self.asked()
        script = await self.site.sessions.preview(name, data["spec"], data["command"])
        self.finish(json.dumps({"script": script}))


class SavedHandler(LaunchHandler):
    """Saving settings by name."""

    @web.authenticated
    @authorized
    @answers
    async def post(self, name: str) -> None:
        data = self.asked("name")
        settings = Settings(data["spec"], data["command"], name=data.get("name", ""))
        kept = await self.site.forms.save(name, settings)
        self.set_status(201)
        self.finish(json.dumps(kept.to_json()))


class SavedOneHandler(LaunchHandler):
    """Forgetting saved settings."""

    @web.authenticated
    @authorized
    @answers
    async def delete(self, name: str, settings_id: str) -> None:
        app = self.site.apps.get(name)
        await asyncio.to_thread(self.site.forms.saved.remove, app.name, settings_id)
        self.set_status(204)
        self.finish()
