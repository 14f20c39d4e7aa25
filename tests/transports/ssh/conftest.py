"""The nodes of a test; none where there is no ssh server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proxy.conftest import jupyter, node, run  # noqa: F401 - the fixtures of a proxied session
from tests.transports.ssh.sshd import SSHD, SshNodes


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[SshNodes]:
    if SSHD is None:
        pytest.skip("no sshd on this machine (tests/system-packages.sh installs it)")
    found = SshNodes(tmp_path)
    yield found
    found.stop()
