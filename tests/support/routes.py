"""Every route of the package by an address, so that a new one is tried wherever all are."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any

from qconnect_web import api, pages, proxy
from qconnect_web.clients.xpra import load_vnc_client
from qconnect_web.http.base import ANY_JOB, JOB
from qconnect_web.pages import ClientHandler, StaticHandler
from qconnect_web.pages.handlers import our_files
from tests.support.servers import Answer

FOR_EVERYBODY = (StaticHandler, ClientHandler)
"""What needs no login: files that are the same for everybody."""
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-Fetch-Mode": "websocket",
}


def addresses(job_id: str) -> list[tuple[str, type[Any]]]:
    """An address below `qconnect/` for every route, and its handler."""
    ours = f"{our_files().digest}/home.js"
    files = {"static/([0-9a-f]{32})/(.+)": f"static/{ours}", "client/([0-9a-f]{32})/(.+)": load_vnc_client().url}
    groups = [(ANY_JOB, job_id), (JOB, job_id), ("([A-Za-z0-9._-]{1,64})", "xterm")]
    groups += [("(?P<viewer>[A-Za-z0-9_-]{8,64})", "viewer-0001"), ("(?P<ticket>[^/]*)", "nonsense")]
    groups += [("(?:/(?P<file>.*))?", "/index.html"), ("api/.+", "api/x"), (".+", "no/such/page")]
    groups += [("/?", "/"), ("\\", "")]
    found = []
    for pattern, kind in [*api.HANDLERS, *proxy.HANDLERS, *pages.HANDLERS]:
        path = files.get(pattern, pattern)
        for group, example in groups:
            path = path.replace(group, example)
        assert not re.search(r"[()\[\]*?]", path), f"no example for {pattern}"
        found.append((path, kind))
    return found


def doors_open(ask: Callable[[str, str, dict[str, str]], Answer], job_id: str) -> dict[tuple[str, str], int]:
    """The routes, but those for everybody, that do not refuse what `ask(method, path, headers)` sends.

    Requests are tried, and websockets' upgrades as a browser would send them.
    """
    found = {}
    for (path, kind), method in product(addresses(job_id), ("GET", "POST", "DELETE", "upgrade")):
        if kind in FOR_EVERYBODY:
            continue
        answer = ask("GET", path, UPGRADE) if method == "upgrade" else ask(method, path, {})
        to_login = answer.status == 302 and re.search("/login|/oauth2/authorize", answer.headers["location"])
        if not to_login and answer.status not in (401, 403, 404, 405):
            found[method, path] = answer.status
    return found
