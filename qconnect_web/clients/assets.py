"""Files held in memory as they are sent: hashed once, compressed once, found by manifest and never by path."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

BUILT = Path(__file__).parents[1] / "static"
"""What the build made of the browser code (build.mjs)."""
BINARY = (".png", ".ico", ".jpg", ".gif", ".webp", ".woff", ".woff2", ".gz")
"""Suffixes whose content is compressed already."""
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
}
"""Content types that must not depend on the machine's mime table: a wrong one stops a script under nosniff."""

RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True)
class Asset:
    """One file as it is sent; `csp` is the policy that goes with a page."""

    name: str
    body: bytes = field(repr=False)
    csp: str | None = None

    @cached_property
    def content_type(self) -> str:
        """The content type, by the name's suffix."""
        suffix = Path(self.name).suffix.lower()
        return TYPES.get(suffix) or mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    @cached_property
    def etag(self) -> str:
        """The strong entity tag of the uncompressed body."""
        return hashlib.sha256(self.body).hexdigest()[:32]

    @cached_property
    def compressed(self) -> bytes | None:
        """The gzip form, or None where it saves nothing; costs up to 0.2 s for the largest file of a client."""
        if self.name.lower().endswith(BINARY) or len(self.body) < 512:
            return None
        packed = gzip.compress(self.body, 9, mtime=0)
        return packed if len(packed) < len(self.body) else None


@dataclass(frozen=True)
class Bundle:
    """Files that belong together, under one digest of all their names and contents."""

    files: Mapping[str, Asset]

    @cached_property
    def digest(self) -> str:
        """Hex digest of the whole; two bundles that differ in one byte never share a URL."""
        total = hashlib.sha256()
        for name in sorted(self.files):
            asset = self.files[name]
            total.update(f"{name}\0{asset.etag}\0{asset.csp or ''}\0".encode())
        return total.hexdigest()[:32]

    def compress(self) -> None:
        """Makes every gzip form now, so that no request waits for one."""
        for asset in self.files.values():
            _ = asset.compressed


def byte_range(header: str, size: int) -> range | None:
    """The bytes of a body that a Range header asks for (RFC 9110, 14.1.2); empty when it has none of them.

    None means the whole: there is no such header, or one that may be passed over, as are several ranges at once.
    """
    found = RANGE.fullmatch(header.strip())
    first, last = found.groups() if found else ("", "")
    if not first:
        return range(max(0, size - int(last)), size) if last else None
    if last and int(last) < int(first):
        return None
    return range(min(int(first), size), min(int(last or size) + 1, size))


def read_folder(folder: Path, suffixes: Iterable[str] | None = None) -> dict[str, bytes]:
    """The files below a folder by their relative POSIX names; raises OSError.

    Links to files are followed here, at load time (Debian's client has its jquery.js outside its folder), links to
    folders are not. Source maps are left out: nobody is served half a megabyte for a debugger.
    """
    wanted = tuple(suffixes) if suffixes else None
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or name.endswith(".map") or (wanted and not name.endswith(wanted)):
            continue
        found[name] = path.read_bytes()
    return found
