"""Which host names and whose pages requests may come by, and what the log may know of a ticket's address."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from jupyter_server.utils import origin_matches_pat
from tornado import httputil

TICKET_PATH = re.compile(r"^[^?]*?/qconnect/[^/?]*/t/(?P<ticket>[^/?]*)")


def is_known_host(request: httputil.HTTPServerRequest, known: Collection[str]) -> bool:
    """Whether a request came under a name that the site goes by (none: any); a name made to point here is none."""
    try:
        return not known or urlsplit(f"//{request.host}").hostname in known
    except ValueError:
        return False


def is_own_origin(origin: str, request: httputil.HTTPServerRequest) -> bool:
    """Whether an Origin header names the very server that the request was sent to.

    The scheme is held against the request's only when that came by TLS: else somebody before us may have ended it.
    """
    try:
        found = urlsplit(origin.lower())
    except ValueError:  # brackets that do not close, say
        return False
    schemes = ("https",) if request.protocol == "https" else ("http", "https")
    bare = origin.lower() == f"{found.scheme}://{found.netloc}"
    return bare and found.scheme in schemes and found.netloc == request.headers.get("Host", "").lower()


def is_named_origin(origin: str, settings: Mapping[str, Any]) -> bool:
    """Whether the site has let the pages of that origin in: `allow_origin`, else `allow_origin_pat`, as in Jupyter."""
    named, pattern = settings.get("allow_origin"), settings.get("allow_origin_pat", "")
    if named:
        return bool(named in ("*", origin.lower()))
    return bool(pattern) and origin_matches_pat(pattern, origin.lower())


def is_counterfeit(origin: str, request: httputil.HTTPServerRequest) -> bool:
    """Whether an Origin header is none, or names this server in a way that no page of it would: by another scheme."""
    try:
        host = urlsplit(origin.lower()).netloc
    except ValueError:
        return True
    return host == request.headers.get("Host", "").lower() and not is_own_origin(origin, request)


def without_ticket(address: str) -> str:
    """A path or URL with its ticket, if it has one, made unreadable."""
    found = TICKET_PATH.match(address)
    return f"{address[: found.start('ticket')]}[ticket]{address[found.end() :]}" if found else address
