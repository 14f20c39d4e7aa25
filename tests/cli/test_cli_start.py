"""The command line starts quickly: nothing that only the browser's side needs is loaded on its way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
HEAVY = {"jupyter_server", "tornado", "jinja2", "jsonschema", "yaml", "jupyter_server_proxy", "jupyter_events"}


def loaded(home: Path, *argv: str) -> set[str]:
    """The libraries that `qconnect argv` has loaded when it is done."""
    code = (
        "import sys\nfrom qconnect_web.cli import main\n"
        f"try:\n    main({list(argv)!r})\nexcept SystemExit:\n    pass\n"
        "print('\\n@', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "JUPYTER_CONFIG_DIR": str(home / "config")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.rpartition("\n@ ")[2].split())


@pytest.mark.parametrize("option", ["-h", "-v"])
def test_help_and_version_load_next_to_nothing(tmp_path: Path, option: str) -> None:
    found = loaded(tmp_path, option)
    assert "argparse" in found
    assert not found & (HEAVY | {"traitlets", "asyncio"})


def test_the_list_loads_no_server(tmp_path: Path) -> None:
    found = loaded(tmp_path, "-l")
    assert "traitlets" in found
    assert not found & HEAVY
