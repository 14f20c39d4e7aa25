"""A real cluster on one machine: a login node and two compute nodes with sshd, munge and Slurm, for root only."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.files import ADDRESSES, COMPUTE, LOGIN, make_homes, write_etc
from tests.cluster.node import CLEAN, Node, remove_cgroup
from tests.support.deadline import eventually

PROGRAMS = ("unshare", "nsenter", "setpriv", "ip", "munged", "sshd", "slurmctld", "slurmd")
PROBE = "set -e; mount -t tmpfs t /mnt; mkdir /mnt/u /mnt/w /mnt/r; ip link add br0 type bridge; " + (
    "mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w o /mnt/r"
)
REMEMBER_S = 10
"""How long Slurm knows a finished job: short, so that tests meet forgotten ones."""


def impossible() -> str | None:
    """Why no cluster can be made here, or None."""
    if os.geteuid() != 0:
        return "a cluster needs root"
    missing = [name for name in PROGRAMS if not shutil.which(name, path=CLEAN["PATH"])]
    if missing:
        return f"missing on this machine: {' '.join(missing)} (tests/system-packages.sh installs them)"
    if not Path("/sys/fs/cgroup/freezer").is_dir():
        return "this machine has no cgroup freezer (cgroups of version 1)"
    argv = ["unshare", "--net", "--mount", "--pid", "--fork", "bash", "-c", PROBE]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    return f"no namespaces or overlay here: {done.stderr.strip()}" if done.returncode else None


def sweep() -> None:
    """Removes what clusters left whose test runner was killed; their processes died with it."""
    for lock in Path("/run").glob("qc-*/lock"):
        if (handle := _lock(lock.parent)) is None:
            continue
        for place in Path("/sys/fs/cgroup").glob(f"*/{lock.parent.name}-*"):
            eventually(lambda p=place: remove_cgroup(p), 10, f"the end of {place}")
        shutil.rmtree(lock.parent)
        os.close(handle)


def _lock(folder: Path) -> int | None:
    """The folder's lock, or None when a living test runner has it."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


class Cluster:
    """The nodes, their network, and one folder on the host with all their files."""

    def __init__(self) -> None:
        given = os.environ.get("QC_DIR")
        self.folder = Path(given or tempfile.mkdtemp(prefix="qc-", dir="/run"))
        self._lock: int | None = None
        self.login = Node(self.folder, LOGIN, track="linuxproc", hide=("/usr/bin/xpra",))
        self.compute = [Node(self.folder, name, track=track) for name, track in COMPUTE.items()]

    @property
    def nodes(self) -> list[Node]:
        return [self.login, *self.compute]

    def node(self, name: str) -> Node:
        """The node of this name, with or without domain."""
        return next(node for node in self.nodes if node.name == name.partition(".")[0])

    def home(self, user: str) -> Path:
        """The user's home, seen from the host."""
        return self.folder / "home" / user

    def up(self) -> Cluster:
        """Brings everything up and returns when both compute nodes take jobs."""
        sweep()
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        self._lock = _lock(self.folder)
        write_etc(self.folder / "etc", REMEMBER_S)
        make_homes(self.folder / "home")
        (self.folder / "spool").mkdir()
        for node in self.nodes:
            node.start()
        self._in_network(self.login, "ip link add br0 type bridge")
        self._in_network(self.login, f"ip addr add {self.login.address}/24 dev br0")
        self._in_network(self.login, "ip link set br0 up")
        for node in self.compute:
            self._plug_in(node)
        for node in self.nodes:
            node.go()
        self.wait_idle(*self.compute)
        return self

    def down(self) -> None:
        """Ends every process of the nodes, with them their mounts and network, and removes the folder."""
        for node in self.nodes:
            node.strike()
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder)
        if self._lock is not None:
            os.close(self._lock)

    def wait_idle(self, *nodes: Node, timeout: float = 60) -> None:
        """Until Slurm would start jobs on these nodes."""
        for node in nodes:
            eventually(lambda n=node: self.slurm_state(n) in ("idle", "mixed"), timeout, f"{node.name} in Slurm")

    def slurm_state(self, node: Node) -> str:
        """What Slurm thinks of a node: idle, mixed, allocated, down, idle* (does not answer) …"""
        argv = ["timeout", "5", "sinfo", "-h", "-N", "-p", "batch", "-n", node.name, "-o", "%T"]
        return self.login.run(argv, check=False).stdout.strip()

    @contextmanager
    def closed(self, node: Node) -> Iterator[None]:
        """No new job comes to this node meanwhile; what runs there goes on."""
        self.login.run(["scontrol", "update", f"nodename={node.name}", "state=drain", "reason=test"])
        try:
            yield
        finally:
            self.login.run(["scontrol", "update", f"nodename={node.name}", "state=resume"])

    def other(self, node: Node) -> Node:
        """The other compute node."""
        return next(found for found in self.compute if found is not node)

    def cut_off(self, node: Node) -> None:
        """Pulls a compute node's network cable: packets vanish, nobody is told."""
        self._in_network(self.login, f"ip link set {self._port(node)} down")

    def mend(self, node: Node) -> None:
        """Plugs the cable in again."""
        self._in_network(self.login, f"ip link set {self._port(node)} up")

    @contextmanager
    def firewall(self, node: Node, ports: str) -> Iterator[None]:
        """What comes to these TCP ports of a compute node vanishes meanwhile; all else gets through."""
        rule = "ip rule add pref 0 iif eth0 ipproto tcp"
        self._in_network(node, "ip rule add pref 1 lookup local")  # behind ours, in place of the kernel's own at 0
        self._in_network(node, "ip rule del pref 0")
        self._in_network(node, f"{rule} dport {ports} blackhole")
        try:
            yield
        finally:
            for command in ("ip rule del pref 0", "ip rule add pref 0 lookup local", "ip rule del pref 1"):
                self._in_network(node, command)

    def power_off(self, node: Node) -> None:
        """Cuts a compute node's power."""
        node.kill()

    def power_on(self, node: Node, *, clean_tmp: bool = True) -> None:
        """Boots a compute node that is off; returns when its daemons run (Slurm may take a while to trust it)."""
        if clean_tmp:
            node.clean_tmp()
        node.start()
        self._plug_in(node)
        node.go()
        # slurmctld knows by a node's boot time that its jobs are gone; a namespace's is the machine's
        update = ["scontrol", "update", f"nodename={node.name}"]
        self.login.run([*update, "state=down", "reason=boot"])
        self.login.run([*update, "state=resume"], check=False)  # it may have come back by itself already

    def _port(self, node: Node) -> str:
        return f"v{node.address.rpartition('.')[2]}"

    def _in_network(self, node: Node, command: str) -> None:
        subprocess.run(["nsenter", "-t", str(node.pid), "-n", *command.split()], check=True)

    def _plug_in(self, node: Node) -> None:
        port = self._port(node)
        self._in_network(self.login, f"ip link add {port} type veth peer name eth0 netns {node.pid}")
        self._in_network(self.login, f"ip link set {port} master br0 up")
        self._in_network(node, f"ip addr add {ADDRESSES[node.name]}/24 dev eth0")
        self._in_network(node, "ip link set eth0 up")
