"""The doctor is asked by the command line."""

from __future__ import annotations

from tests.cli.conftest import cli  # noqa: F401 - a fixture
