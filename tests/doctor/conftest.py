"""The doctor is asked at the desks of the command line."""

from __future__ import annotations

from tests.cli.conftest import desk  # noqa: F401 - a fixture
