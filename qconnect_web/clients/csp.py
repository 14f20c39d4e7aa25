"""The content security policy of a client's page, made from the page itself: its own scripts, and no others."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser


class _Scripts(HTMLParser):
    """Collects what a page runs without loading a file: inline scripts and event handlers."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.inline: list[str] = []
        self.handlers: list[str] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.handlers += [value for name, value in attrs if name.startswith("on") and value]
        if tag == "script" and "src" not in values:
            self._open = True
            self.inline.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inline[-1] += data


def _hash(script: str) -> str:
    """The CSP source of one inline script, as the browser hashes it: line ends are LF by then."""
    text = script.replace("\r\n", "\n").replace("\r", "\n")
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def csp(html: bytes, *, opaque: bool) -> str:
    """The content security policy of a client's page: its own files, its inline scripts by hash, no eval.

    `opaque` is for pages that come from a node: they are put into an origin of their own, where 'self' names nothing
    for workers (viewer.md §4), by the header as well as by the frame, so that a direct open is covered too.
    """
    scripts = _Scripts()
    scripts.feed(html.decode("utf-8", "replace"))
    scripts.close()
    inline = sorted({_hash(text) for text in scripts.inline})
    handlers = sorted({_hash(text) for text in scripts.handlers})
    unsafe = ["'unsafe-hashes'", *handlers] if handlers else []
    rules = [
        "default-src 'none'",
        " ".join(["script-src 'self'", *inline, *unsafe]),
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src blob:" if opaque else "worker-src 'self'",
        "font-src 'self'",
        "media-src blob: data:",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    if opaque:
        rules.append("sandbox allow-scripts allow-downloads allow-pointer-lock")
    return "; ".join(rules)
