"""`scheduler = auto`: the batch system whose commands are there, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets import TraitError
from traitlets.config import Config

from qconnect_web.config import QConnect
from qconnect_web.schedulers.detect import detect
from qconnect_web.site import build
from tests.support.recordings import OPENPBS, SLURM, TORQUE, recorded

pytestmark = pytest.mark.unit


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, *, out: str = "", err: str = "", status: int = 0) -> None:
    """A program that says this, whatever it is asked."""
    (folder / f"{name}.out").write_text(out)
    (folder / f"{name}.err").write_text(err)
    script = folder / name
    cat = 'while IFS= read -r line || [ -n "$line" ]; do echo "$line"; done'
    script.write_text(f"#!/bin/sh\n{cat} <{script}.out\n{cat} <{script}.err >&2\nexit {status}\n")
    script.chmod(0o755)


def wrapper(folder: Path) -> None:
    """Slurm's torque wrapper of `qstat`, to the letter."""
    said = recorded(SLURM, "qstat_x")
    program(folder, "qstat", out=said.out, err=said.err.replace("option: x", "option: version"), status=said.status)


def test_torque(path: Path) -> None:
    program(path, "qstat", out=recorded(TORQUE, "version-qstat").out)
    found = detect()
    assert found.name == "torque"
    assert "6.1.3.h5" in found.why


def test_openpbs(path: Path) -> None:
    program(path, "qstat", out=recorded(OPENPBS, "version-qstat").out)
    found = detect()
    assert found.name == "openpbs"
    assert "23.06.06" in found.why


def test_slurm_is_used_by_its_own_commands_and_not_through_its_wrappers(path: Path) -> None:
    wrapper(path)
    program(path, "sbatch", out="slurm-wlm 22.05.8\n")
    found = detect()
    assert found.name == "slurm"
    assert "not TORQUE's own" in found.why


def test_slurm_commands_without_a_configuration_are_no_cluster(path: Path) -> None:
    wrapper(path)
    program(path, "sbatch", err="sbatch: fatal: Could not establish a configuration source\n", status=1)
    found = detect()
    assert found.name == "local"
    assert "no configuration" in found.why


def test_nothing_there_is_local(path: Path) -> None:
    found = detect()
    assert found.name == "local"
    assert "jobs run on it directly" in found.why


@pytest.mark.parametrize(
    ("name", "dialect"), [("torque", "pbs"), ("openpbs", "pbs"), ("slurm", "slurm"), ("local", "pbs")]
)
def test_the_site_may_choose(name: str, dialect: str, tmp_path: Path) -> None:
    settings = {"scheduler": name, "sessions_dir": str(tmp_path)}
    site = build(QConnect(config=Config(QConnect=settings)))
    assert (site.flavour.name, site.sessions.scheduler.name, site.sessions.scheduler.dialect) == (name, name, dialect)


@pytest.mark.parametrize("option", ["-t 1-3", "-J 1-9", "--array=1-3", "-l x;id", "$(id)", "-a 1-3"])
def test_options_that_no_job_can_have_stop_the_server_at_its_start(option: str) -> None:
    with pytest.raises(TraitError, match="native_options"):
        QConnect(config=Config(QConnect={"native_options": [option]}))
