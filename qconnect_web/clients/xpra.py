"""The HTML5 clients at hand on this machine: which belongs to which xpra, with our agent put into their page."""

from __future__ import annotations

import asyncio
import base64
import re
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from ..environment import job_environment
from ..plain_text import plain_logger
from .assets import BUILT, Asset, Bundle, read_folder
from .csp import csp
from .vnc import vnc_files

log = plain_logger(__name__)

EMPTY_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
LOAD_TIMEOUT_S = 30.0
VERSION_TIMEOUT_S = 10.0
VERSION = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True)
class Client:
    """One HTML5 client: `version` is the xpra (major, minor) that it belongs to, None for the one that speaks VNC."""

    version: tuple[int, int] | None
    bundle: Bundle

    @property
    def digest(self) -> str:
        return self.bundle.digest

    @property
    def url(self) -> str:
        """The address of its page, relative to `<base_url>qconnect/`."""
        return f"client/{self.digest}/index.html"


def xpra_version(text: str) -> tuple[int, int] | None:
    """(major, minor) in `xpra v3.1.3`, `3.1.3-r0`, `6.5`; None when there is no version in it."""
    found = VERSION.search(text)
    return (int(found[1]), int(found[2])) if found else None


@cache
def agent() -> bytes:
    """The agent, as the build made one classic script of it; raises OSError when it was not built."""
    return (BUILT / "agent" / "agent.js").read_bytes()


def inject_agent(html: bytes) -> bytes:
    """The client's page with our agent as its first script, inline, so that it needs no request of its own."""
    head = re.search(rb"<head[^>]*>", html, re.IGNORECASE)
    at = head.end() if head else 0
    return html[:at] + b"<script>" + agent() + b"</script>" + html[at:]


def closed_page() -> bytes:
    """Our `connect.html`: where a client goes that our agent does not know, to say that its connection ended."""
    return (BUILT / "agent" / "closed.html").read_bytes()


def _run_version(folder: Path) -> tuple[int, int] | None:
    """What `xpra --version` beside a client's folder says (`<prefix>/share/xpra/www` → `<prefix>/bin/xpra`)."""
    program = folder.parents[2] / "bin" / "xpra" if len(folder.parents) > 2 else Path("xpra")
    try:
        done = subprocess.run(
            [str(program), "--version"],
            env=job_environment(),
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("The HTML5 client in %s is left out: its xpra gave no version (%s).", folder, error)
        return None
    return xpra_version(done.stdout)


def _version(folder: Path, files: dict[str, bytes]) -> tuple[int, int] | None:
    """The xpra that a client belongs to: up to 3.x it carries xpra's own version, later it is numbered apart."""
    told = re.search(rb"""VERSION\s*[:=]\s*["']([\d.]+)""", files.get("js/Utilities.js", b""))
    own = xpra_version(told[1].decode()) if told else None
    return own if own and own[0] <= 3 else _run_version(folder)


def load_client(folder: Path) -> Client | None:
    """Reads the client in a folder, or None when there is none; blocks for 0.1 s and up to ten for a hung xpra."""
    if not (folder / "index.html").is_file():
        return None
    files = read_folder(folder)
    version = _version(folder, files)
    if version is None:
        return None
    page = inject_agent(files["index.html"])
    closed = closed_page()
    assets = {name: Asset(name, body) for name, body in files.items()}
    # Debian's client lacks it; its styles ask for it at every open, and each 404 is a line in the log.
    assets.setdefault("background.png", Asset("background.png", EMPTY_PNG))
    assets["index.html"] = Asset("index.html", page, csp(page, opaque=False))
    assets["connect.html"] = Asset("connect.html", closed, csp(closed, opaque=False))
    return Client(version, Bundle(assets))


def load_vnc_client() -> Client:
    """The client for VNC desktops; raises OSError when this installation lacks it."""
    files = vnc_files()
    assets = {name: Asset(name, body) for name, body in files.items()}
    page = files["index.html"]
    return Client(None, Bundle({**assets, "index.html": Asset("index.html", page, csp(page, opaque=False))}))


class Clients:
    """The clients of this machine, loaded in a thread on first need and kept for the life of the server."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._loaded: list[Client] = []
        self.vnc: Client | None = None
        self._loading: asyncio.Task[None] | None = None

    async def ready(self) -> None:
        """Waits, bounded, until the folders have been read; raises TimeoutError."""
        if self._loading is None or (self._loading.done() and self._loading.cancelled()):
            self._loading = asyncio.create_task(self._load())
        await asyncio.wait_for(asyncio.shield(self._loading), LOAD_TIMEOUT_S)

    async def _load(self) -> None:
        for folder in self._folders:
            try:
                client = await asyncio.to_thread(load_client, folder)
            except OSError as error:
                log.warning("The HTML5 client in %s is left out: %s", folder, error)
                continue
            if client:
                self._loaded.append(client)
        try:
            self.vnc = await asyncio.to_thread(load_vnc_client)
        except OSError as error:
            log.warning("The client for VNC desktops is left out: %s. Install the package again.", error)
        # Nobody waits for the gzip forms: a request that comes first makes its own.
        threading.Thread(target=self._compress, name="qconnect-gzip", daemon=True).start()

    def _compress(self) -> None:
        for client in self._all():
            client.bundle.compress()

    def _all(self) -> list[Client]:
        return [*self._loaded, *([self.vnc] if self.vnc else [])]

    def for_version(self, xpra: str) -> Client | None:
        """The client that belongs to this xpra (same major and minor version), or None: then the node's own is used.

        Never blocks: before `ready` has returned it knows no client.
        """
        wanted = xpra_version(xpra)
        return next((client for client in self._loaded if client.version == wanted), None)

    def default(self) -> Client | None:
        """The client that a job on a node like this machine would need: loaded while the job still waits."""
        return self._loaded[0] if self._loaded else None

    def file(self, digest: str, name: str) -> Asset | None:
        """A file of the client with this digest, by manifest."""
        found = next((client for client in self._all() if client.digest == digest), None)
        return found.bundle.files.get(name) if found else None

    @cached_property
    def closed_page(self) -> Asset:
        """Our `connect.html` for clients whose files come from a node."""
        body = closed_page()
        return Asset("connect.html", body, csp(body, opaque=True))
