"""GUI programs on a cluster, in a browser tab: the Jupyter hook functions and the version."""

from __future__ import annotations

__version__ = "0.2.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "qconnect-web"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from .extension import QConnectApp

    return [{"module": "qconnect_web", "app": QConnectApp}]
