"""The relay stands behind the proxy's server, and has its sessions."""

from __future__ import annotations

from tests.proxy.conftest import jupyter, node, run  # noqa: F401 - the fixtures of a proxied session
