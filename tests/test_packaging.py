"""What `pip install` brings, and that it is never older than its sources."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import requires
from pathlib import Path

import pytest

from hatch_build import BUILT, RENDERER, SOURCES, STAMP, build_frontend, digest, is_current
from qconnect_web import __version__
from qconnect_web.job_script import ready_scripts
from tests.support.servers import REPOSITORY

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


def files(folder: str, *skipped: str) -> set[str]:
    """The files that git would have of a folder, relative to it."""
    argv = ["git", "-C", str(REPOSITORY / folder), "ls-files", "--cached", "--others", "--exclude-standard", "."]
    listed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split("\n")
    return {name for name in listed if name and name not in skipped and (REPOSITORY / folder / name).exists()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the sources as they are."""
    build_frontend(REPOSITORY)
    target = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(REPOSITORY)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(target.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prefix with the wheel and nothing else."""
    prefix = tmp_path_factory.mktemp("prefix")
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed"]
    subprocess.run([*argv, "--prefix", str(prefix), str(wheel)], timeout=120, check=True)
    return prefix


@pytest.fixture
def run_installed(installed: Path, tmp_path: Path) -> Callable[..., str]:
    """Runs a program with the prefix as all that there is of this package."""
    env = {
        "PATH": f"{installed / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(installed / "lib" / PYTHON / "site-packages"),
        "JUPYTER_PATH": str(installed / "share/jupyter"),
        "JUPYTER_CONFIG_DIR": str(installed / "etc/jupyter"),
    }

    def run(*argv: str) -> str:
        done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr

    return run


def test_the_wheel_holds_every_file_that_the_package_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shared = f"qconnect_web-{__version__}.data/data/share/jupyter/qconnect"
    wanted = {f"qconnect_web/{name}" for name in files("qconnect_web")}
    wanted |= {f"{shared}/{folder}/{name}" for folder in ("jobscripts", "apps") for name in files(folder)}
    wanted |= {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "qconnect_web/static").rglob("*.*")}
    assert "qconnect_web/static/licences.txt" in wanted
    assert wanted - names == set()
    assert any(name.endswith("/apps/xterm.yaml") for name in names)


def test_the_wheel_brings_a_ready_script_of_each_app(wheel: Path) -> None:
    opened = zipfile.ZipFile(wheel)
    names = [name for name in opened.namelist() if name.endswith(".pbs")]
    shared = f"qconnect_web-{__version__}.data/data/share/jupyter/qconnect/jobscripts"
    scripts = ready_scripts()
    assert sorted(names) == sorted(f"{shared}/{name}.pbs" for name in scripts)
    assert {"rstudio", "xterm", "vnc", "tmux"} <= set(scripts)
    assert {name: opened.read(f"{shared}/{name}.pbs").decode() for name in scripts} == scripts


def test_a_build_needs_no_more_of_the_dependencies_than_it_asks_for() -> None:
    def name(requirement: str) -> str:
        return re.split(r"[^\w-]", requirement)[0].lower().replace("-", "_")

    needed = {name(found) for found in requires("qconnect_web") or [] if "extra ==" not in found}
    others = needed - {name(asked) for asked in RENDERER}
    assert {"jupyterlab", "tornado"} <= others
    without = "import sys; sys.modules.update(dict.fromkeys(sys.argv[1:])); from qconnect_web import job_script"
    argv = [sys.executable, "-c", f"{without}; print(*job_script.ready_scripts())", *others]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == [*ready_scripts()], done.stderr


def test_an_installed_wheel_enables_the_server_extension(run_installed: Callable[..., str]) -> None:
    told = re.sub(r"\x1b\[\d+m", "", run_installed("jupyter", "server", "extension", "list"))
    assert re.search(r"qconnect_web enabled\b", told), told
    assert re.search(rf"qconnect_web {re.escape(__version__)} OK", told), told


def test_an_installed_wheel_brings_the_tiles(run_installed: Callable[..., str]) -> None:
    told = re.sub(r"\x1b\[\d+m", "", run_installed("jupyter", "labextension", "list"))
    assert re.search(rf"qconnect-web v{re.escape(__version__)} enabled OK \(python, qconnect_web\)", told), told


def test_an_installed_wheel_brings_the_command(run_installed: Callable[..., str]) -> None:
    assert __version__ in run_installed("qconnect", "--version")


def test_an_uninstall_leaves_nothing(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], timeout=60, check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin/python"), "--quiet"]
    before = set(place.rglob("*"))
    subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], timeout=120, check=True)
    subprocess.run(
        [str(place / "bin/python"), "-c", "import qconnect_web.errors"], cwd=tmp_path, timeout=60, check=True
    )
    brought = set(place.rglob("*")) - before
    assert {"qconnect", "labextensions", "jupyter_server_config.d", "man1"} <= {path.name for path in brought}
    subprocess.run([*pip, "uninstall", "--yes", "qconnect_web"], timeout=120, check=True)
    left = set(place.rglob("*")) - before
    assert {path for path in left if not path.is_dir()} == set()  # pip leaves a folder in which only folders were


@pytest.mark.long(
    "build.mjs", "hatch_build.py", "pyproject.toml", "package-lock.json", "labextension/rspack.config.cjs"
)
def test_two_builds_are_equal_wherever_whenever_and_by_whomever(tmp_path: Path) -> None:
    sums = set()
    for place, zone, umask in (("once", "UTC", 0o022), ("again/elsewhere", "Asia/Tokyo", 0o077)):
        here = tmp_path / place
        for name in files("."):
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, here / name)
            shutil.copymode(REPOSITORY / name, here / name)
        shutil.copytree(REPOSITORY / "node_modules", here / "node_modules", symlinks=True, copy_function=os.link)
        argv = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(here / "dist"), str(here)]
        env = {**os.environ, "TZ": zone}
        done = subprocess.run(argv, env=env, umask=umask, capture_output=True, text=True, timeout=170, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        sums.add(hashlib.sha256(next((here / "dist").glob("*.whl")).read_bytes()).hexdigest())
    assert len(sums) == 1


def test_both_packages_have_one_version() -> None:
    for name in ("package.json", "package-lock.json"):
        assert json.loads((REPOSITORY / name).read_text())["version"] == __version__


def test_the_lock_file_names_no_registry() -> None:
    lock = (REPOSITORY / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    packages = json.loads(lock)["packages"]
    assert not [name for name, package in packages.items() if name and "integrity" not in package]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources of the browser code, with a stamp that says it was built from them."""
    for name in SOURCES:
        source = REPOSITORY / name
        (tmp_path / name).parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("lib"))
        else:
            shutil.copy(source, tmp_path / name)
    (tmp_path / STAMP).parent.mkdir(parents=True)
    (tmp_path / STAMP).write_text(digest(tmp_path))
    (tmp_path / BUILT).parent.mkdir()
    (tmp_path / BUILT).touch()
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "package.json",
        "package-lock.json",
        "build.mjs",
        "labextension/src/viewer/page.ts",
        "labextension/style/pages/base.css",
        "qconnect_web/openapi.yaml",
    ],
)
def test_a_bundle_of_older_sources_is_not_current(checkout: Path, name: str) -> None:
    assert is_current(checkout)
    before = (checkout / name).stat()
    (checkout / name).write_text((checkout / name).read_text() + "\n")
    os.utime(checkout / name, ns=(before.st_atime_ns, before.st_mtime_ns))  # as git and tar may leave it
    assert not is_current(checkout)


def test_a_removed_source_counts_and_a_test_does_not(checkout: Path) -> None:
    (checkout / "labextension/src/core/__tests__/argv.spec.ts").unlink()
    assert is_current(checkout)
    (checkout / "labextension/src/core/argv.ts").unlink()
    assert not is_current(checkout)
