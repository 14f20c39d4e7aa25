"""Runs pytest in a process that has imported all that is slow to import, and nothing of ours."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from pathlib import Path

SLOW = [
    "pytest",
    "hypothesis",
    "jupyter_server.serverapp",
    "jupyter_server_proxy.handlers",
    "cryptography.x509",
    "psutil",
]


def run(copy: Path, nodes: list[str], seconds: float) -> tuple[int | None, str]:
    """pytest's exit code (None: not within these seconds) and output, in a folder that holds the project."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(SLOW)
    output = copy / "output"
    process = context.Process(target=_pytest, args=(str(copy), nodes, str(output)))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        return None, output.read_text()
    return process.exitcode, output.read_text()


def _pytest(copy: str, nodes: list[str], output: str) -> None:
    """In the new process: forgets what was imported from elsewhere, and begins anew in the copy."""
    with Path(output).open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "qconnect_web")]:
        del sys.modules[name]
    os.chdir(copy)
    sys.path.insert(0, copy)
    os.environ.update(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTHONPATH=copy, COLUMNS="300")
    os.environ.pop("PYTEST_ADDOPTS", None)
    sys.dont_write_bytecode = False  # what one run compiled, the next ones need not
    gc.freeze()  # pytest collects garbage several times: what was imported before is none
    import pytest

    options = ["-x", "-q", "--rootdir", copy, "-p", "no:cacheprovider", "-p", "pytest_timeout", "--tb=short"]
    code = pytest.main([*options, *nodes])
    sys.stdout.flush()
    os._exit(code)
