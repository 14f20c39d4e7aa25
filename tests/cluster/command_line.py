"""Alice at a terminal of the login node, with the command line and what she sees of its sessions."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

import pexpect

from tests.cli.command_line import QCONNECT, SMALL
from tests.cluster.cluster import Cluster
from tests.cluster.display import written
from tests.cluster.server import ClusterServer
from tests.support.deadline import eventually

HEED_CTRL_C = ["env", "--default-signal=INT"]
ONLY_THERE = 'trap "" INT; exec "$@"'
"""Ctrl-C is for the command on the node, not for `nsenter`, which would leave it alone with its terminal."""


class ClusterCommandLine:
    """`server` is never started for the command line's sake: it is whose settings and folders are used."""

    def __init__(self, cluster: Cluster, server: ClusterServer) -> None:
        self.cluster, self.server = cluster, server
        self._spawned: list[pexpect.spawn[str]] = []
        server.write_config()
        self._write_profile()

    @property
    def torque(self) -> bool:
        """Whether the batch system speaks as TORQUE; else it is Slurm."""
        return bool(self.server.path)

    @property
    def profile(self) -> str:
        """What a shell on any node reads to find this `qconnect` and its settings, as from a site's module."""
        return str(self.server.there / "profile")

    def _write_profile(self) -> None:
        path = self.server.home / "profile"
        path.write_text("".join(f"export {name}={value}\n" for name, value in self.server.environment().items()))

    def _entered(self, argv: Sequence[str], **env: str) -> list[str]:
        world = {**self.server.environment(), "TERM": "xterm", **env}
        return self.cluster.login.entered([*HEED_CTRL_C, str(QCONNECT), *argv], "alice", world)

    def run(self, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
        """`qconnect argv` in a pipe."""
        return subprocess.run(
            self._entered(argv, **env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def spawn(self, *argv: str, **env: str) -> pexpect.spawn[str]:
        """`qconnect argv` on a pseudo-terminal."""
        words = ["-c", ONLY_THERE, "sh", *self._entered(argv, **env)]
        child = pexpect.spawn("sh", words, dimensions=(30, 100), encoding="utf-8", codec_errors="replace", timeout=60)
        self._spawned.append(child)
        return child

    def ready(self, *argv: str) -> dict[str, Any]:
        """A new session that is READY."""
        done = self.run(*SMALL, *argv, "-c", "--json", "--wait")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout)[0])

    def sessions(self) -> list[dict[str, Any]]:
        """All sessions, also those that ended."""
        return list(json.loads(self.run("-a", "--json").stdout))

    def session(self, job_id: str) -> dict[str, Any]:
        return next(found for found in self.sessions() if found["id"] == job_id)

    def await_state(self, job_id: str, *states: str) -> dict[str, Any]:
        """The session, as soon as it is in one of these states."""
        eventually(lambda: self.session(job_id)["state"] in states, 60, f"{job_id} {states}")
        return self.session(job_id)

    def written(self, name: str) -> dict[str, dict[str, Any]]:
        """What jobs wrote into their files of that name: {job id: content}."""
        found = [written(path) for path in (self.server.home / "sessions").glob(f"*/{name}")]
        return {content["job"]: content for content in found}

    def batch(self, command: str) -> str:
        """What a command of the batch system prints for alice."""
        path = ":".join([*self.server.path, "/usr/local/bin:/usr/bin:/bin"])
        return self.cluster.login.run(command, "alice", env={"PATH": path}).stdout

    def close(self) -> None:
        for session in json.loads(self.run("--json", "-l").stdout or "[]"):
            self.run("--stop", session["id"])
        for child in self._spawned:
            child.close(force=True)
        eventually(lambda: not self.server.leftovers(), 30, "the end of all processes")
