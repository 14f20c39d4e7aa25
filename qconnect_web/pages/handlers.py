"""Home, viewer, their scripts, and the client's files: what a browser gets by plain GET."""

from __future__ import annotations

import asyncio
import os
import re
from functools import cache
from gettext import NullTranslations
from http.client import responses
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from tornado import web

from ..clients.assets import BUILT, Asset, Bundle, byte_range, read_folder
from ..errors import UnknownSession
from ..http.base import QConnectHandler
from ..plain_text import escaped
from .hub import spawn_url

PAGE_CSP = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "frame-src 'self'",
        "font-src 'self'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
)
IMMUTABLE = "private, max-age=31536000, immutable"


def _plain(value: Any) -> Any:
    """What a template puts into a page; the parts of a page are no values."""
    return escaped(value) if type(value) is str else value


templates = Environment(
    loader=FileSystemLoader(BUILT.parent / "templates"), autoescape=True, undefined=StrictUndefined, finalize=_plain
)
templates.globals["_"] = NullTranslations().gettext  # as written; a catalogue of the domain `qconnect_web` goes before


@cache
def our_files() -> Bundle:
    """Our own scripts and styles: a few small files, read once."""
    files = read_folder(BUILT / "pages", (".js", ".css", ".svg"))
    return Bundle({name: Asset(name, body) for name, body in files.items()})


class PageHandler(QConnectHandler):
    """What all pages share: their policy, and templates that escape."""

    csp = PAGE_CSP

    async def page(self, template: str, **values: Any) -> None:
        """Sends a page; it is asked for anew each time, as it carries the addresses of the current files."""
        _ = self.xsrf_token  # sets the cookie that our scripts send back
        files = await asyncio.to_thread(our_files)
        text = templates.get_template(f"{template}.html").render(
            static=f"{self.base_url}qconnect/static/{files.digest}/",
            base_url=self.base_url,
            spawn=spawn_url(os.environ),
            unseen_s=60 * self.site.settings.unseen_minutes,
            **values,
        )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(text)

    def error_body(self, status: int, message: str, reason: str) -> tuple[str, str]:
        """A plain word: Jupyter's own error page brings inline styles and scripts, which our policy stops."""
        return "text/plain; charset=utf-8", f"{status} {responses.get(status, 'Error')}\n"

    async def unknown(self) -> None:
        """404 with the sessions that live; nothing of the request is repeated.

        A token leaves the address first: of the other pages their scripts see to that.
        """
        if self.get_query_argument("token", None) is not None:
            self.redirect(self.request.path)
            return
        live = [item for item in await self.site.sessions.list() if not item.state.final]
        sessions = [self.site.sessions.describe(item, self.base_url) for item in live]
        self.set_status(404)
        await self.page("unknown", sessions=sessions)


class HomeHandler(PageHandler):
    """Apps and sessions, for people without JupyterLab."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        if not self.request.path.endswith("/"):
            self.redirect(f"{self.base_url}qconnect/")
            return
        await self.page("home")

    head = get


class ViewerHandler(PageHandler):
    """The page around a session's display."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        try:
            session = await self.find_session(job_id)
        except UnknownSession:
            await self.unknown()
            return
        described = self.site.sessions.describe(session, self.base_url)
        if not self.request.path.endswith("/"):
            self.redirect(described["url"])
            return
        await self.page("viewer", session=described)

    head = get


class NowherePage(PageHandler):
    """Any other address below ours; Jupyter's own page for such has other words, and stumbles over what is no text."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.unknown()

    head = get


class FileHandler(PageHandler):
    """Sends files out of memory: immutable, compressed, with a true ETag, HEAD and single ranges.

    They need no login: they are the same for everybody and hold nothing of the user's. Under JupyterHub 4.1 and later
    a login cookie would not do, because browsers ask for module scripts with `Sec-Fetch-Mode: cors`.
    """

    SUPPORTED_METHODS = ("GET", "HEAD")

    async def find(self, digest: str, name: str) -> Asset | None:
        raise NotImplementedError

    @allow_unauthenticated
    async def get(self, digest: str, name: str) -> None:
        await self._send(digest, name)

    @allow_unauthenticated
    async def head(self, digest: str, name: str) -> None:
        await self._send(digest, name)

    async def _send(self, digest: str, name: str) -> None:
        asset = await self.find(digest, name)
        if asset is None:
            raise web.HTTPError(404)
        self.set_header("Content-Type", asset.content_type)
        self.set_header("Cache-Control", IMMUTABLE)
        self.set_header("Vary", "Accept-Encoding")
        if asset.csp:
            self.set_header("Content-Security-Policy", asset.csp)
        if (part := self._asked_part(asset)) is not None:
            self._send_part(asset, part)
            return
        packed = await asyncio.to_thread(lambda: asset.compressed) if self._takes_gzip() else None
        if packed:
            self.set_header("Content-Encoding", "gzip")
        else:
            self.set_header("Accept-Ranges", "bytes")
        self._etag = f'"{asset.etag}{"-gz" if packed else ""}"'
        self.finish(packed or asset.body)

    def _asked_part(self, asset: Asset) -> range | None:
        """The bytes that are asked for, None for all; parts are of the file itself, never of its gzip form."""
        tag = f'"{asset.etag}"'
        if self.request.method != "GET" or self.request.headers.get("If-Range", tag) != tag:
            return None
        return byte_range(self.request.headers.get("Range", ""), len(asset.body))

    def _send_part(self, asset: Asset, part: range) -> None:
        """These bytes; nothing to somebody who has the file, and the file's size to one who asked beyond it."""
        self._etag = f'"{asset.etag}"'
        self.set_etag_header()
        size = len(asset.body)
        if self.check_etag_header():
            self.set_status(304)
            self.finish()
        elif not part:
            self.set_status(416)
            self.set_header("Content-Range", f"bytes */{size}")
            self.set_header("Cache-Control", "no-store")
            self.finish()
        else:
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {part.start}-{part.stop - 1}/{size}")
            self.finish(asset.body[part.start : part.stop])

    def _takes_gzip(self) -> bool:
        """Whether the browser accepts gzip (`gzip;q=0` refuses it)."""
        accepted = self.request.headers.get("Accept-Encoding", "")
        return bool(re.search(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", accepted))

    def compute_etag(self) -> str | None:
        """The file's own tag; tornado would hash the body again for each answer."""
        return getattr(self, "_etag", None)


class StaticHandler(FileHandler):
    """Our own scripts and styles."""

    async def find(self, digest: str, name: str) -> Asset | None:
        files = await asyncio.to_thread(our_files)
        return files.files.get(name) if digest == files.digest else None


class ClientHandler(FileHandler):
    """The HTML5 client of this machine's xpra."""

    async def find(self, digest: str, name: str) -> Asset | None:
        await self.site.clients.ready()
        return self.site.clients.file(digest, name)
