"""The browser's front door: the Jupyter server extension, its routes, and the poll loop's start and stop."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join

from . import api, pages, proxy
from .config import QConnect
from .doctor.running import probe_of
from .proxy.log_limit import Quiet
from .sessions import describe
from .site import Site, build
from .values.session import Session

EVENT_SCHEMA = "https://qconnect-web.readthedocs.io/events/session/v1"
EVENT_FILE = Path(__file__).with_name("event-session.yaml")


class QConnectApp(ExtensionApp):
    """Programs on compute nodes, in browser tabs."""

    name = "qconnect_web"
    extension_url = "/qconnect/"
    load_other_extensions = True
    classes = [QConnect]  # noqa: RUF012 - traitlets reads a plain class attribute

    site: Site | None = None
    quiet: Quiet | None = None

    def initialize_settings(self) -> None:
        """Builds the site from its configuration."""
        self.site = build(QConnect(parent=self))
        self.settings["qconnect"] = self.site

    def initialize_handlers(self) -> None:
        """Puts every route below `<base_url>qconnect/`; what none of them knows is answered by the pages."""
        for pattern, kind in [*api.HANDLERS, *proxy.HANDLERS, *pages.HANDLERS]:
            self.handlers.append((url_path_join("/qconnect", pattern) if pattern else "/qconnect/?", kind))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Starts the poll loop once Jupyter's event loop runs; not when the settings were refused."""
        if self.site is None:
            return
        serverapp.event_logger.register_event_schema(EVENT_FILE)
        self.quiet = Quiet()
        self.quiet.guard(serverapp.log)
        self.site.sessions.on_change(partial(self._emit, serverapp))
        self.site.sessions.on_change(self.site.audit.seen)
        await self.site.sessions.open()

    async def stop_extension(self) -> None:
        """Closes the websockets and stops the poll loop; jobs go on."""
        if self.site is None:
            return
        await probe_of(self.settings).close()
        await self.site.places.close()
        if self.quiet and self.serverapp:
            self.quiet.release(self.serverapp.log)
        await self.site.sessions.close()
        await asyncio.to_thread(self.site.audit.close)

    def _emit(self, serverapp: Any, session: Session) -> None:
        """Tells whoever listens to Jupyter's events that a session changed."""
        found = describe.describe(session, serverapp.base_url)
        data = {name: found[name] for name in ("id", "app", "name", "state", "reason", "url")}
        serverapp.event_logger.emit(schema_id=EVENT_SCHEMA, data=data)
