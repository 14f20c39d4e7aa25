"""The address of a session for a browser, as far as a Jupyter server of the user's can be seen from here."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote


def base_url() -> str | None:
    """The address of a running Jupyter server of this user, without its token; None when there is none to be seen."""
    if inside := os.environ.get("JUPYTER_SERVER_URL"):  # in JupyterLab's own terminals
        return inside.partition("?")[0]
    from jupyter_core.paths import jupyter_runtime_dir

    found: list[tuple[float, str]] = []
    for path in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            server = json.loads(path.read_text(encoding="utf-8"))
            if path.stat().st_uid == os.geteuid() and _lives(int(server["pid"])):
                found.append((path.stat().st_mtime, str(server["url"])))
    return max(found)[1] if found else None


def _lives(pid: int) -> bool:
    """Whether a process of ours has that number (the file may be of another login node, or left by a crash)."""
    try:
        return Path(f"/proc/{pid}").stat().st_uid == os.geteuid()
    except OSError:
        return False


def address(job_id: str) -> str:
    """Where a browser finds the session; only its path where no server can be seen."""
    path = f"qconnect/{quote(job_id)}/"
    base = base_url()
    return f"{base.rstrip('/')}/{path}" if base else f"/{path}"


def advice(job_id: str) -> str:
    """The address in a sentence."""
    found = address(job_id)
    if found.startswith("/"):
        return f"In a browser: open {found} on your Jupyter server (none of yours seems to run on this machine)."
    return f"In a browser: {found}"
