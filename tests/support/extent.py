"""How much a run of the tests tries: what every change must pass within minutes, or all of it."""

from __future__ import annotations

import os

LONG = os.environ.get("QCONNECT_LONG_TESTS") == "1"
"""All numbers and pairs as they are promised, in real minutes; the whole takes hours."""
