"""Stands before the package of this name on the path of the tests' servers: jsonschema then does without it.

It reads a grammar for two to three seconds of processor time whenever a Jupyter server starts, to check formats (IRIs)
that no schema here has; the tests start some hundred servers.
"""

from __future__ import annotations

raise ImportError("not needed here")
