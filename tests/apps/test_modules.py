"""The versions of a module, as Environment Modules and Lmod tell them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from qconnect_web.apps import modules
from qconnect_web.apps.modules import Modules, versions_of
from tests.support.deadline import eventually

pytestmark = pytest.mark.unit
ENVIRONMENT_MODULES = "/sw/mods:\nparaview/5.9\nparaview/5.10(default)\nparaview/5.11.2\nparaview-extras/1.0\n"
"""What 5.2.0 printed (`module -t avail paraview`)."""
LMOD = "/sw/mods:\nparaview/\nparaview/5.9\nparaview/5.10 (D)\nparaview/5.11.2\nparaview/5.11-rc1 <aL>\npy-paraview/2\n"


def test_versions_come_the_newest_first() -> None:
    assert versions_of("paraview", ENVIRONMENT_MODULES) == ["5.11.2", "5.10", "5.9"]
    assert versions_of("paraview", LMOD) == ["5.11.2", "5.11-rc1", "5.10", "5.9"]
    assert versions_of("paraview", "paraview/$(id)\nparaview/a b\n paraview/3\nparaview/`x`") == []
    assert versions_of("a.b", "axb/1\na.b/2") == ["2"]
    assert len(versions_of("a", "\n".join(f"a/{n}" for n in range(5000)))) == 200


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `module` as an exported function of the login shell; each call writes a line."""
    calls = tmp_path / "calls"
    calls.touch()
    body = f'() {{ echo "$*" >>{calls}; cat {tmp_path}/answer >&2; }}'
    monkeypatch.setenv("BASH_FUNC_module%%", body)
    (tmp_path / "answer").write_text(ENVIRONMENT_MODULES)
    return tmp_path


def test_a_module_is_asked_after_once(shell: Path) -> None:
    async def ask() -> None:
        known = Modules()
        answers = await asyncio.gather(*(known.versions("paraview") for _ in range(5)))
        assert answers == [["5.11.2", "5.10", "5.9"]] * 5
        (shell / "answer").write_text("paraview/6\n")
        assert await known.versions("paraview") == answers[0]
        assert await known.versions("; touch x") is None

    asyncio.run(ask())
    assert (shell / "calls").read_text() == "-t avail paraview\n"


def test_a_module_system_that_hangs_is_ended_and_holds_nobody_up(shell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASH_FUNC_module%%", f"() {{ echo $BASHPID >{shell}/pid; exec sleep 600; }}")
    monkeypatch.setattr(modules, "WITHIN", 1.0)

    async def ask() -> int:
        turns = 0
        asking = asyncio.create_task(Modules().versions("paraview"))
        while not asking.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert asking.result() is None
        return turns

    began = time.monotonic()
    assert asyncio.run(ask()) > 5, "the loop went on"
    assert time.monotonic() - began < 60
    pid = (shell / "pid").read_text().strip()
    eventually(lambda: not Path(f"/proc/{pid}").exists(), 10, "the end of the module system's command")


def test_without_a_module_system_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "SCRIPT", "exit 127")
    assert asyncio.run(Modules().versions("paraview")) is None
