"""Pages, API and proxy in this process, with one session: quick to start, for what is tried at each door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qconnect_web import api, pages
from qconnect_web.apps.catalogue import Catalogue
from qconnect_web.sessions.store import Store
from qconnect_web.transports.tls import TlsTransport
from tests.support.jupyter_here import BASE, Jupyter, Manager, at_home
from tests.support.session_run import new_run


class Front(Jupyter):
    """The proxy's server with our pages and the API, where Jupyter itself takes any host name, as behind a hub."""

    prefix = BASE

    async def _start(self, root: Path) -> Any:
        app = await super()._start(root)
        settings = app.web_app.settings
        settings["allow_remote_access"] = True
        settings["qconnect"].apps = Catalogue([])
        settings["qconnect"].hosts = frozenset({"hub.example", "127.0.0.1"})
        patterns = [(f"{BASE}qconnect/{pattern}", kind) for pattern, kind in [*api.HANDLERS, *pages.HANDLERS]]
        app.web_app.add_handlers(r".*$", patterns)
        return app


@contextmanager
def opened(home: Path) -> Iterator[Front]:
    """A front with one session, for as long as the block lasts."""
    store = Store(home / "sessions")
    store.prepare()
    new_run(store)
    with at_home(home):
        server = Front(home, Manager(store, TlsTransport()))
        yield server
        server.close()
