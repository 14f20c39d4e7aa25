"""What may pass the proxy, both ways, by allowlist: pure functions from one side's words to the other's."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from tornado import httputil

from ..errors import BadRequest, UpstreamFailed
from ..http.headers import SAFE_HEADERS, STRICT_CSP
from ..transports.keys import SERVER_NAME

REQUEST_HEADERS = ("Accept", "Accept-Encoding", "If-Modified-Since", "If-None-Match")
"""What a file's server gets of the browser's request; no cookie, token, address or referrer is among it."""
RESPONSE_HEADERS = ("Content-Encoding", "Content-Type", "Etag", "Last-Modified", "Vary")
"""What the browser gets of a node's answer; no cookie, policy, redirect or CORS permission is among it."""
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}"  # RFC 7230, section 3.2.6
PROTOCOLS = re.compile(rf"{WORD}(?:[ \t]*,[ \t]*{WORD}){{0,15}}")
EXTENSIONS = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z;=,\" \t-]{1,512}")
FILE = re.compile(r"(?:(?!\.\.?(?:/|$))[A-Za-z0-9_.~@+=,!-]{1,128}/)*(?!\.\.?$)[A-Za-z0-9_.~@+=,!-]{0,128}")
"""A file below the client's folder as its URL spells it: nothing percent-encoded, no `.`, `..` or empty segment."""


@dataclass(frozen=True)
class Upgrade:
    """A browser's request for a websocket, checked; `protocol` and `extensions` are what it offers, None without."""

    key: str
    protocol: str | None
    extensions: str | None

    @property
    def accept(self) -> str:
        """The answer to the key that proves that the other side speaks websocket."""
        return base64.b64encode(hashlib.sha1(self.key.encode() + GUID, usedforsecurity=False).digest()).decode()

    @classmethod
    def of(cls, headers: httputil.HTTPHeaders) -> Upgrade:
        """The request of a browser; raises BadRequest when it is none that RFC 6455 allows."""
        connection = {word.strip().lower() for word in headers.get("Connection", "").split(",")}
        if headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in connection:
            raise BadRequest("This address is for a websocket. Open the session's page instead.", reason="no-upgrade")
        if headers.get("Sec-WebSocket-Version") != "13":
            raise BadRequest("The browser speaks an unknown version of websocket; 13 is known.", reason="bad-upgrade")
        key, protocol = headers.get("Sec-WebSocket-Key", ""), headers.get("Sec-WebSocket-Protocol")
        extensions = headers.get("Sec-WebSocket-Extensions")
        wrong = (
            not _is_key(key)
            or (protocol is not None and not PROTOCOLS.fullmatch(protocol))
            or (extensions is not None and not EXTENSIONS.fullmatch(extensions))
        )
        if wrong:
            raise BadRequest("The request for a websocket is malformed. Reload the page.", reason="bad-upgrade")
        return cls(key, protocol, extensions)

    def request(self) -> bytes:
        """The request for the node: constants, and these three values."""
        return _head("GET / HTTP/1.1", {"Host": SERVER_NAME, "Sec-WebSocket-Key": self.key, **self._offers()}, 13)

    def _offers(self) -> dict[str, str | None]:
        return {"Sec-WebSocket-Protocol": self.protocol, "Sec-WebSocket-Extensions": self.extensions}

    def response(self, answer: bytes) -> bytes:
        """The 101 for the browser out of the node's; raises UpstreamFailed when the node's is not a fitting 101."""
        headers = _accepted(answer)
        if headers.get("Sec-WebSocket-Accept", "").strip() != self.accept:
            raise _refused("answered the wrong key")
        protocol, extensions = headers.get("Sec-WebSocket-Protocol"), headers.get("Sec-WebSocket-Extensions")
        offered = {word.strip() for word in (self.protocol or "").split(",")}
        if protocol is not None and protocol not in offered:
            raise _refused("chose a subprotocol that was not offered")
        if extensions is not None and (self.extensions is None or not EXTENSIONS.fullmatch(extensions)):
            raise _refused("chose an extension that was not offered")
        chosen = {"Sec-WebSocket-Protocol": protocol, "Sec-WebSocket-Extensions": extensions}
        return _head("HTTP/1.1 101 Switching Protocols", {"Sec-WebSocket-Accept": self.accept, **chosen})


def _is_key(key: str) -> bool:
    try:
        return len(key) == 24 and len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def _head(first: str, values: dict[str, str | None], version: int | None = None) -> bytes:
    lines = [first, "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Version: {version}"] if version else []
    lines += [f"{name}: {value}" for name, value in values.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _accepted(answer: bytes) -> httputil.HTTPHeaders:
    """The headers of a node's answer that is a 101 for a websocket."""
    first, _, rest = answer.decode("latin-1").partition("\r\n")
    found = re.fullmatch(r"HTTP/1\.[01] (\d{3})(?: .*)?", first)
    if found is None:
        raise _refused("did not answer in HTTP")
    if found[1] != "101":
        raise _refused(f"answered {found[1]}")
    try:
        headers = httputil.HTTPHeaders.parse(rest)
    except (httputil.HTTPInputError, ValueError):
        raise _refused("sent malformed headers") from None
    if headers.get("Upgrade", "").strip().lower() != "websocket":
        raise _refused("did not switch to websocket")
    return headers


def _refused(how: str) -> UpstreamFailed:
    return UpstreamFailed(
        f"The session's display {how} when it was asked for a websocket. Look at the session's log, then reload.",
        reason="upgrade-refused",
    )


def file_path(raw: str) -> str:
    """The path to ask a node for, out of the rest of a URL as it was sent; raises BadRequest for tricks."""
    if len(raw) > 1024 or not FILE.fullmatch(raw):
        raise BadRequest("That is no file of the client. Open the session's page again.", reason="bad-path")
    return "/" + raw


def for_upstream(headers: httputil.HTTPHeaders, *, page: bool) -> httputil.HTTPHeaders:
    """The request headers for a node; a page is asked for uncompressed, because the agent goes into it."""
    names = [name for name in REQUEST_HEADERS if name in headers and not (page and name != "Accept")]
    passed = httputil.HTTPHeaders({name: headers[name] for name in names})
    passed.update({"Host": SERVER_NAME, "User-Agent": "qconnect", "Connection": "close"})
    return passed


def for_browser(headers: httputil.HTTPHeaders) -> httputil.HTTPHeaders:
    """The response headers for the browser: the node's few that may pass, and ours."""
    passed = httputil.HTTPHeaders({name: headers[name] for name in RESPONSE_HEADERS if name in headers})
    passed.update({**SAFE_HEADERS, "Content-Security-Policy": STRICT_CSP, "Cache-Control": "private, max-age=3600"})
    passed["Access-Control-Allow-Origin"] = "null"  # fonts and workers of the page, whose origin is opaque
    return passed
