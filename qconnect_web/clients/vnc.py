"""The files of the browser's client for VNC desktops: noVNC as the build bundled it, and our page around it."""

from __future__ import annotations

from pathlib import Path

from .assets import BUILT, read_folder

NOVNC = Path(__file__).parents[1] / "novnc" / "novnc.js"
SHARED = ("page", "methods", "painting", "clipboard", "work", "entry")
"""Modules of the agent of xpra's client that this one uses as well."""


def vnc_files() -> dict[str, bytes]:
    """The client's files by name, its page `index.html` among them; raises OSError when noVNC was not built."""
    own = {f"vnc/{name}": body for name, body in read_folder(BUILT / "vnc", (".js", ".css")).items()}
    shared = {f"agent/{name}.js": (BUILT / "agent" / f"{name}.js").read_bytes() for name in SHARED}
    page = (BUILT / "vnc" / "index.html").read_bytes()
    return {**own, **shared, "vnc/novnc.js": NOVNC.read_bytes(), "index.html": page}
