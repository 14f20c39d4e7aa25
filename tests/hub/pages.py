"""The pages on installation and on JupyterHub, followed on the login node by its administrator."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from hatch_build import build_frontend
from tests.cluster.node import CLEAN, Node
from tests.support.doc_blocks import FENCE, blocks_in, section
from tests.support.servers import REPOSITORY

SECTIONS = [
    ("install.md", "## Install"),
    ("install.md", "## Configure"),
    ("install.md", "### Slurm"),
    ("jupyterhub.md", "## Setting it up"),
    ("jupyterhub.md", "## Idle servers"),
]
"""What somebody with Slurm reads who wants a hub, in this order."""
TRIED_BY_A_USER = {blocks_in(section("install.md", "### Slurm"), "bash")[0]}
"""Commands among them that the page has an ordinary user run (test_install_page.py does)."""
WITHOUT_SYSTEMD = "systemctl enable --now jupyterhub\n"
"""Stands for what `Hub.start` does: it runs the unit's own command in the unit's own environment."""
WITHOUT_NPM = "npm install --global configurable-http-proxy\n"
"""Stands for two links: that very program is here already, out of package.json."""
HUBS = ("jupyterhub", "jupyterhub-idle-culler")
PYTHON = shutil.which("python3", path=CLEAN["PATH"]) or ""
"""The nodes' own."""


def follow(node: Node, ours: dict[str, str], env: dict[str, str]) -> None:
    """Does on a node what the pages say: runs their commands as root, writes their files where each file's first line
    says; `ours` are the names of this place for those of the example, each of which occurs."""
    text = "".join(section(*place) for place in SECTIONS)
    for example, own in ours.items():
        assert example in text, example
        text = text.replace(example, own)
    for _, language, body in FENCE.findall(text):
        if path := re.match(r"# (/\S+)\n", body):
            node.run(["sh", "-c", 'cat >>"$1"', "sh", path[1]], input=body)
        elif language == "bash" and body not in TRIED_BY_A_USER:
            node.run(f"set -e\n{body}", env=env, timeout=300)


@dataclass(frozen=True)
class Service:
    """The page's unit of systemd, for a machine without."""

    text: str

    @cached_property
    def _said(self) -> configparser.SectionProxy:
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str  # type: ignore[assignment, method-assign]  # names of systemd have capitals
        parser.read_string(self.text)
        return parser["Service"]

    @property
    def argv(self) -> list[str]:
        """Its command, in the folder that it works in."""
        return [
            "sh",
            "-c",
            'cd "$0" && exec "$@"',
            self._said["WorkingDirectory"],
            *shlex.split(self._said["ExecStart"]),
        ]

    @property
    def environment(self) -> dict[str, str]:
        name, _, value = self._said["Environment"].partition("=")
        return {name: value}


def service() -> Service:
    (unit,) = blocks_in(section(*SECTIONS[3]), "ini")
    return Service(unit)


def lay_index(folder: Path, there: str) -> dict[str, str]:
    """What tells `pip install` on a node where to find what the pages have it fetch: an index of the site's own.

    Our wheel, of the sources as they are, comes into `folder`, which the node knows as `there`; all else is fetched
    from the package index once for each change of what we depend on, and kept in `build/wheels`.
    """
    build_frontend(REPOSITORY)
    argv = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(REPOSITORY)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    others = _fetched(next(folder.glob("*.whl")))
    return {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"{there} {others}"}


def _fetched(ours: Path) -> Path:
    """The folder with the wheels of all that ours and the hub need, for the nodes' Python."""
    asked = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8").partition("\n]\n")[0]
    version = subprocess.run([PYTHON, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    key = sha256("\n".join([asked, version, *HUBS]).encode()).hexdigest()[:16]
    folder = REPOSITORY / "build/wheels" / key
    if not folder.is_dir():
        shutil.rmtree(folder.parent, ignore_errors=True)  # of what we depended on before
        coming = folder.with_suffix(".coming")
        pip = [sys.executable, "-m", "pip", "--python", PYTHON, "download", "--quiet", "--only-binary", ":all:"]
        subprocess.run([*pip, "--dest", str(coming), str(ours), *HUBS], timeout=600, check=True)
        (coming / ours.name).unlink()
        coming.rename(folder)
    return folder


def lay_proxy(node: Node) -> None:
    """What the pages have npm install: the proxy, and Node, which the machine has with it."""
    bin_ = Path(sys.executable).parent
    runtime = shutil.which("node", path=f"{bin_}:{CLEAN['PATH']}") or shutil.which("node")
    assert runtime
    proxy = REPOSITORY / "node_modules/.bin/configurable-http-proxy"
    node.run(["ln", "-s", str(Path(runtime).resolve()), "/usr/local/bin/node"])
    node.run(["ln", "-s", str(proxy), "/usr/local/bin/"])
