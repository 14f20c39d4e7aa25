"""TORQUE's commands on the cluster, with the real Slurm running what they submit."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.cluster import Cluster
from tests.cluster.node import Node, NodeProcess
from tests.support.deadline import eventually

HERE = Path(__file__).with_name("torque")
SPOOL_FOLDERS = {"server_priv": 0o755, "mom_priv/jobs": 0o1777, "aux": 0o1777, "spool": 0o1777, "undelivered": 0o1777}


class Torque:
    """pbs_server and trqauthd on the login node; `bin` is what a user of it has on PATH."""

    bin = "/usr/local/torque/bin"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.spool = cluster.folder / "spool"
        self._daemons: dict[str, NodeProcess] = {}
        self._kept = 10
        for name, mode in SPOOL_FOLDERS.items():
            (self.spool / name).mkdir(parents=True, exist_ok=True)
            (self.spool / name).chmod(mode)
        for node in cluster.nodes:
            self.install(node)
        (self.spool / "server_name").write_text(f"{cluster.login.name}\n")

    def install(self, node: Node) -> None:
        """Puts the programs on a node, which forgets them when it boots."""
        node.run(f"mkdir -p /usr/local/torque && ln -sfn {HERE}/bin {self.bin}")

    def start(self, *names: str) -> Torque:
        """Starts both daemons, or the named one."""
        for name in names or ("trqauthd", "pbs_server"):
            argv = [str(HERE / "server.py"), *([name] if name == "trqauthd" else [])]
            log = (self.spool / "server_priv" / f"{name}.log").open("ab")
            with log:
                self._daemons[name] = self.cluster.login.popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            eventually(lambda n=name: self._listening(n), 10, f"{name}: {self.log(name)}")
        return self

    def stop(self, *names: str) -> None:
        """Kills both daemons, or the named one; their sockets stay, as a dead host's ports do."""
        for name in names or tuple(self._daemons):
            daemon = self._daemons.pop(name)
            daemon.kill()
            daemon.wait(10)

    def signal(self, name: str, number: int) -> None:
        """Sends a signal to a daemon: SIGSTOP makes it mute."""
        self._daemons[name].send_signal(number)

    def qmgr(self, command: str) -> None:
        """An administrator's change, like `set server keep_completed = 3`."""
        self.run(["qmgr", "-c", command], "root")

    @contextmanager
    def keeping(self, seconds: int) -> Iterator[None]:
        """Finished jobs are shown for so long, meanwhile; then as before."""
        before, self._kept = self._kept, seconds
        self.qmgr(f"set server keep_completed = {seconds}")
        try:
            yield
        finally:
            self._kept = before
            self.qmgr(f"set server keep_completed = {before}")

    def empty(self) -> None:
        """Ends all jobs and waits until none is shown."""
        with self.keeping(0):
            eventually(lambda: self.run("qdel all; qstat", check=False).stdout == "", 30, "an empty server")

    def run(
        self,
        argv: list[str] | str,
        user: str = "alice",
        *,
        node: str = "qc-login",
        env: dict[str, str] | None = None,
        **kw: Any,
    ) -> subprocess.CompletedProcess[str]:
        """A command with TORQUE's programs on PATH."""
        path = f"{self.bin}:/usr/local/bin:/usr/bin:/bin"
        return self.cluster.node(node).run(argv, user, env={"PATH": path, **(env or {})}, **kw)

    def log(self, name: str = "pbs_server") -> str:
        return (self.spool / "server_priv" / f"{name}.log").read_text(errors="replace")

    def _listening(self, name: str) -> bool:
        daemon = self._daemons[name]
        assert daemon.poll() is None, self.log(name)
        sockets = self.cluster.login.run(["ss", "-Hxl"]).stdout
        return f"/{name} " in sockets
