"""The hub that has started this server, if one has: where its users start it anew."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote


def spawn_url(environ: Mapping[str, str]) -> str:
    """The hub's page that starts this very server, by the environment that JupyterHub gave it; empty without a hub."""
    user, base = environ.get("JUPYTERHUB_USER"), environ.get("JUPYTERHUB_BASE_URL")
    if not user or not base:
        return ""
    names = [quote(name, safe="@~") for name in (user, environ.get("JUPYTERHUB_SERVER_NAME", "")) if name]
    return f"{environ.get('JUPYTERHUB_HOST', '')}{base}hub/spawn/{'/'.join(names)}"
