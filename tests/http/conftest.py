"""The live server of the security tests."""

from __future__ import annotations

from tests.security.conftest import server  # noqa: F401 - a fixture
