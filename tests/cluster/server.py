"""A Jupyter server of a user on the cluster's login node, reached from this machine as if it were here."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.cluster.cluster import Cluster
from tests.cluster.files import USERS
from tests.cluster.forward import Forwarder
from tests.cluster.node import CLEAN, NodeProcess
from tests.support.servers import LEAN_PATH, JupyterServer


@dataclass
class ClusterServer(JupyterServer):
    """`home` is a folder in the user's home, seen from this machine; the server's own HOME is the user's."""

    cluster: Cluster = field(kw_only=True)
    user: str = field(default="alice", kw_only=True)
    path: tuple[str, ...] = field(default=(), kw_only=True)
    forwarder: Forwarder | None = field(default=None, init=False)

    @property
    def users_home(self) -> Path:
        """The user's home, seen from this machine."""
        return self.cluster.home(self.user)

    @property
    def there(self) -> Path:
        return Path("/home", self.user, self.home.relative_to(self.users_home))

    def environment(self) -> dict[str, str]:
        """As `qsub`'s user has it on the login node, with the site's `path` first."""
        places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
        found = {name: str(self.there / place) for name, place in places.items()}
        found["PATH"] = ":".join([*self.path, str(Path(sys.executable).parent), CLEAN["PATH"]])
        return {**found, "PYTHONPATH": LEAN_PATH, "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, timeout: float = 60) -> ClusterServer:
        if self.forwarder is None:
            self.forwarder = Forwarder(self.cluster.login, self.port)
        super().start(timeout)
        return self

    def write_config(self) -> None:
        super().write_config()
        subprocess.run(["chown", "-R", f"{USERS[self.user]}:{USERS[self.user]}", str(self.home)], check=True)

    def spawn(self, argv: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        env = self.environment()
        return self.cluster.login.popen(argv, self.user, env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    @property
    def pid(self) -> int:
        assert isinstance(self.process, NodeProcess)
        return self.process.inner

    def wait_for(self, job_id: str, *states: str, timeout: float = 120) -> dict[str, Any]:
        """As before, but with the patience of one who may ask a batch system six times a minute only."""
        return super().wait_for(job_id, *states, timeout=timeout)

    def close(self) -> None:
        """Stops the server; what its sessions have running on other nodes is theirs to end."""
        self.stop()
        if self.forwarder:
            self.forwarder.close()

    def leftovers(self) -> dict[int, str]:
        """The user's processes on the compute nodes: {pid there: node and command line}."""
        return {
            pid: f"{node.name}: {command}"
            for node in self.cluster.compute
            if node.up
            for pid, command in node.processes(self.user).items()
        }


def server_on(cluster: Cluster, name: str, **given: Any) -> ClusterServer:
    """A server not yet started, with the folder `name` in alice's home (or `user`'s) for its own files."""
    home = cluster.home(given.get("user", "alice")) / name
    home.mkdir(exist_ok=True)
    uid = USERS[given.get("user", "alice")]
    os.chown(home, uid, uid)
    return ClusterServer(home, cluster=cluster, **given)
