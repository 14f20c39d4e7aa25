"""The files of the browser's client for VNC desktops: noVNC and our page around it, as the build bundled them."""

from __future__ import annotations

from .assets import BUILT, read_folder


def vnc_files() -> dict[str, bytes]:
    """The client's files by name, its page `index.html` among them; raises OSError when it was not built."""
    page = (BUILT / "vnc" / "index.html").read_bytes()
    return {**read_folder(BUILT / "vnc", (".js", ".css")), "index.html": page}
