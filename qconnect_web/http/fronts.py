"""What a server in front (a reverse proxy) has done to a request: in words for its page, and for the log, once each."""

from __future__ import annotations

import logging
import re

from tornado import httputil

MOST = 32
"""Things that are said in the log; anybody may send any names."""
NAME = re.compile(r"[A-Za-z0-9.:/_\[\]-]{1,120}")
AS_THEY_COME = (
    "The proxy in front of Jupyter has to pass Host and Origin on as they come (nginx: proxy_set_header Host "
    "$http_host; Apache: ProxyPreserveHost On)."
)
"""What an administrator has to do about a front that changes either."""


class Fronts:
    """Tells what a front changes; each of its sentences is for a user to hand to an administrator."""

    def __init__(self, log: logging.Logger) -> None:
        self._log, self._said = log, set[str]()

    def other_page(self, request: httputil.HTTPServerRequest, *, known: bool) -> str:
        """Why a request was taken for one of another web page; of `known` users it is said in the log, too."""
        origin, host = _shown(request, "Origin"), _shown(request, "Host")
        if known:
            self._say(
                f"qconnect: refused a page with Origin {origin} at Host {host}. If it is ours, a proxy in front "
                "changes one of them: docs/reverse-proxies.md tells how to pass both on."
            )
        return (
            f"The address of this page and the one that its requests arrive under are not the same: Origin {origin}, "
            f"Host {host}. Open the session's own page; if this is it, tell your administrator: {AS_THEY_COME}"
        )

    def no_upgrade(self, request: httputil.HTTPServerRequest) -> str:
        """Why a request for a websocket is none."""
        origin, host = _shown(request, "Origin"), _shown(request, "Host")
        self._say(
            f"qconnect: a page (Origin {origin}, Host {host}) asked for a websocket, and what arrived has no Upgrade "
            "header. If a proxy is in front, see docs/reverse-proxies.md."
        )
        return "This address is for a websocket, and the request has no Upgrade. Open the session's page instead."

    def _say(self, message: str) -> None:
        if message not in self._said and len(self._said) < MOST:
            self._said.add(message)
            self._log.warning(message)


def _shown(request: httputil.HTTPServerRequest, name: str) -> str:
    """The header's value, if it is a name that may be repeated."""
    value = request.headers.get(name)
    if value is None:
        return "none"
    return value if NAME.fullmatch(value) else "(no name)"
