"""Real ssh servers on loopback ports, each a "node" with host keys of its own, and what ssh must know to reach them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from qconnect_web.config import QConnect
from qconnect_web.site import ssh_settings
from qconnect_web.transports.ssh.options import SshSettings
from tests.support.deadline import eventually
from tests.support.ports import own_port

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
IN_NAMESPACE = """
while [ "$1" != -- ]; do mount --bind "${1%%=*}" "${1#*=}" || exit 99; shift; done
shift; exec "$@"
"""


def new_key(path: Path, passphrase: str = "") -> Path:
    """A key pair; returns the private key's path."""
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", path.name, "-f", str(path)]
    subprocess.run(argv, check=True, timeout=20)
    return path


def own_mounts() -> str | None:
    """Why no ssh server can have an /etc/shadow of its own here, or None."""
    if os.geteuid() != 0:
        return "a server with passwords of its own needs root"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, timeout=20, check=False)
    return f"no mount namespaces here: {done.stderr.strip()}" if done.returncode else None


@dataclass
class Sshd:
    """One server; `options` are lines of its sshd_config, `binds` files that it sees in place of the system's."""

    root: Path
    name: str
    options: tuple[str, ...] = ()
    binds: dict[Path, str] = field(default_factory=dict)
    port: int = field(default_factory=own_port)
    process: subprocess.Popen[bytes] | None = None
    _starts: int = 0

    @property
    def host_key(self) -> Path:
        return self.root / f"{self.name}.host"

    @property
    def log(self) -> str:
        path = self.root / f"{self.name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> Sshd:
        """Starts the server and returns when it listens."""
        assert SSHD, "no sshd on this machine"
        if not self.host_key.exists():
            new_key(self.host_key)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = self.root / f"{self.name}.conf"
        lines = (
            *self.options,
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.host_key}",
            f"AuthorizedKeysFile {self.root}/authorized",
            "UsePAM no",
            "StrictModes no",
            "PidFile none",
            "PermitRootLogin yes",
            "LogLevel VERBOSE",
        )
        config.write_text("\n".join(lines) + "\n")
        self._starts = self.log.count("Server listening")
        argv = [SSHD, "-D", "-e", "-f", str(config)]
        if self.binds:
            pairs = [f"{ours}={theirs}" for ours, theirs in self.binds.items()]
            argv = ["unshare", "--mount", "sh", "-c", IN_NAMESPACE, "sh", *pairs, "--", *argv]
        with (self.root / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(self._listens, 10, f"an ssh server; its log:\n{self.log}")
        return self

    def _listens(self) -> bool:
        assert self.process
        assert self.process.poll() is None, self.log
        return self.log.count("Server listening") > self._starts

    def logins(self) -> int:
        """How many connections were let in."""
        return len(re.findall(r"^Accepted \S+ for ", self.log, re.MULTILINE))

    def known(self) -> str:
        """Its line for a known_hosts file."""
        kind, key, *_ = self.host_key.with_suffix(".host.pub").read_text().split()
        return f"[127.0.0.1]:{self.port} {kind} {key}\n"

    def fingerprint(self) -> str:
        """Its host key's, as ssh shows it."""
        argv = ["ssh-keygen", "-lf", str(self.host_key)]
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20).stdout.split()[1]

    def stop(self) -> None:
        """Ends it with all its connections."""
        if self.process and self.process.poll() is None:
            for pid in children(self.process.pid):
                subprocess.run(["kill", str(pid)], check=False, stderr=subprocess.DEVNULL)
            self.process.terminate()
            self.process.wait(10)


def children(pid: int) -> list[int]:
    """The processes below one, itself left out."""
    found = []
    with suppress(OSError):  # it, or one of its threads, has ended meanwhile
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return [*found, *(below for child in found for below in children(child))]


class SshNodes:
    """The servers of one test, and the user's side of them: a key, known hosts, ssh's configuration."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.servers: dict[str, Sshd] = {}
        self.key = new_key(root / "user")
        self.known_hosts = root / "known_hosts"
        self.known_hosts.touch()
        (root / "authorized").write_text(self.key.with_suffix(".pub").read_text())
        self.user_options: list[str] = []

    def add(self, name: str, *options: str, known: bool = True, binds: dict[Path, str] | None = None) -> Sshd:
        """One more node."""
        server = self.servers[name] = Sshd(self.root, name, options, binds or {}).start()
        if known:
            with self.known_hosts.open("a") as file:
                file.write(server.known())
        self.write_config()
        return server

    @property
    def config(self) -> Path:
        return self.root / "ssh_config"

    def write_config(self) -> None:
        """What a user or a site would have in ssh's configuration."""
        lines = []
        for name, server in self.servers.items():
            lines += [f"Host {name}", "  HostName 127.0.0.1", f"  Port {server.port}"]
        lines += [
            "Host *",
            *(f"  {option}" for option in self.user_options),
            f"  IdentityFile {self.key}",
            "  IdentitiesOnly yes",
            f"  UserKnownHostsFile {self.known_hosts}",
            "  GlobalKnownHostsFile /dev/null",
        ]
        self.config.write_text("\n".join(lines) + "\n")

    def settings(self, **changed: object) -> SshSettings:
        """What the site says of ssh."""
        return replace(ssh_settings(QConnect()), **{"config": self.config, **changed})  # type: ignore[arg-type]

    def stop(self) -> None:
        for server in self.servers.values():
            server.stop()
