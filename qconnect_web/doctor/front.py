"""What lies between the browser and this server: a hub, a proxy, and what they do to requests."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ..errors import BadRequest
from ..http.fronts import AS_THEY_COME
from .findings import Finding, Level

CHECK = "front"
ORIGIN = re.compile(r"https?://([A-Za-z0-9._:\[\]-]+)")
MAX_ORIGIN = 300
FORWARDED = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via")
"""What proxies add to a request, as Tornado writes the names."""


def before(headers: Mapping[str, str], page: str | None) -> list[Finding]:
    """What a request tells of its way here; `page`: the origin of the page that sent it, as the browser knows it.

    Raises BadRequest when `page` is no origin.
    """
    hub = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    if hub:
        found = [Finding(CHECK, Level.OK, f"This server belongs to a JupyterHub, at {hub}.")]
    elif any(name in headers for name in FORWARDED):
        found = [Finding(CHECK, Level.OK, "There is a proxy in front of this server.")]
    else:
        found = [Finding(CHECK, Level.OK, "Nothing in front of this server has told that it is there.")]
    return found if page is None else [*found, *_page(headers, page)]


def _page(headers: Mapping[str, str], page: str) -> list[Finding]:
    """Whether the server is told the name by which the browser knows it."""
    known = ORIGIN.fullmatch(page) if len(page) <= MAX_ORIGIN else None
    if not known:
        raise BadRequest("The page is not an origin. Give it like https://jupyter.example.org, or leave it out.")
    host = headers.get("Host", "")
    if known[1].lower() == host.lower():
        return [Finding(CHECK, Level.OK, f"The browser's name for this server, {known[1]}, comes through.")]
    found = f"The browser calls this server {known[1]}; what is in front of it says {host}."
    return [Finding(CHECK, Level.PROBLEM, found, f"Displays are refused so. {AS_THEY_COME}")]
