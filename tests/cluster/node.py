"""One node of the test cluster: a machine of its own in every respect but the kernel."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from tests.cluster.files import ADDRESSES, GPUS, USERS
from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY

SCRIPT = Path(__file__).with_name("node.sh")
CLEAN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
UNSHARE = ["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--fork", "--kill-child"]
CONTROLLERS = ("freezer", "memory")


class NodeProcess(subprocess.Popen[bytes]):
    """A process on a node, started through `nsenter`, which waits for it and passes no signal on."""

    @property
    def inner(self) -> int:
        """The process itself, by its number on this machine; once it is over, the one that waited for it."""
        try:
            return int(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="utf-8").split()[0])
        except (OSError, IndexError):
            return self.pid

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.inner, sig)
            if sig == signal.SIGCONT:  # `nsenter` stops itself when its child is stopped
                os.kill(self.pid, sig)


class Node:
    """A login or compute node; `base` is its folder on the host, `shared` the cluster's."""

    def __init__(self, shared: Path, name: str, *, track: str, hide: tuple[str, ...] = ()) -> None:
        self.name = name
        self.address = ADDRESSES[name]
        self.track = track
        self._shared = shared
        self._hide = hide
        self._base = shared / name
        self._outer: subprocess.Popen[bytes] | None = None
        self.pid = 0

    @property
    def tmp(self) -> Path:
        """The node's /tmp, seen from the host."""
        return self._base / "tmp"

    @property
    def log(self) -> str:
        return (self._base / "node.log").read_text(errors="replace")

    @property
    def up(self) -> bool:
        return self._outer is not None and self._outer.poll() is None and self.pid > 0

    def start(self) -> None:
        """Starts the node's first process and returns when its disks are mounted; its network comes next."""
        self._base.mkdir(exist_ok=True)
        (self._base / "mnt").mkdir(exist_ok=True)
        self.tmp.mkdir(exist_ok=True)
        self.tmp.chmod(0o1777)
        die_with_us = ["setpriv", "--pdeathsig", "KILL"]
        with (self._base / "node.log").open("ab") as log:
            self._outer = subprocess.Popen(
                [*die_with_us, "bash", "-c", self._entry(), "node", *UNSHARE, "bash", str(SCRIPT)],
                env=self._settings(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid = eventually(self._first_process, 10, f"the first process of {self.name}: {self.log}")
        eventually(lambda: self._reached("mounted"), 20, f"the disks of {self.name}: {self.log}")

    def go(self) -> None:
        """The network is there: starts the daemons and returns when they run."""
        (self._root / "run/node.go").touch()
        eventually(lambda: self._reached("ready"), 20, f"the daemons of {self.name}: {self.log}")

    def strike(self) -> None:
        """Begins to kill the node, which takes a second or two."""
        if self._outer:
            self._outer.kill()

    def kill(self) -> None:
        """As if the power were cut: whatever runs on the node is gone, with its network."""
        if self._outer is None:
            return
        self.strike()
        self._outer.wait(10)
        eventually(lambda: not Path(f"/proc/{self.pid}").exists(), 10, f"the end of {self.name}")
        self.pid = 0
        for controller in CONTROLLERS if self.track == "cgroup" else ():
            eventually(
                lambda c=controller: remove_cgroup(self._cgroup(c)), 10, f"the end of {self._cgroup(controller)}"
            )

    def clean_tmp(self) -> None:
        """What Debian does with /tmp at each boot."""
        shutil.rmtree(self.tmp)

    def entered(self, argv: list[str], user: str = "root", env: dict[str, str] | None = None) -> list[str]:
        """The command that runs `argv` on the node as `user`, in its home, in an environment as of a fresh login."""
        assert self.up, f"{self.name} is down"
        uid = str(USERS.get(user, 0))
        home = f"/home/{user}" if user in USERS else "/root"
        who = {"HOME": home, "USER": user, "LOGNAME": user, "SHELL": "/bin/bash", "TERM": "dumb"}
        pairs = [f"{name}={value}" for name, value in {**CLEAN, **who, **(env or {})}.items()]
        enter = ["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"]
        become = ["setpriv", "--reuid", uid, "--regid", uid, "--init-groups", "env", "-i", *pairs]
        return [*enter, *become, "sh", "-c", 'cd "$HOME" && exec "$@"', "sh", *argv]

    def popen(self, argv: list[str], user: str = "root", env: dict[str, str] | None = None, **kw: Any) -> NodeProcess:
        """A process on the node, to be ended by the caller."""
        return NodeProcess(self.entered(argv, user, env), **kw)

    def run(
        self,
        argv: list[str] | str,
        user: str = "root",
        *,
        env: dict[str, str] | None = None,
        timeout: float = 30,
        check: bool = True,
        **kw: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command (a string: with bash) on the node to its end; its output as text."""
        command = ["bash", "-c", argv] if isinstance(argv, str) else argv
        kw = {"capture_output": True, **({} if "input" in kw else {"stdin": subprocess.DEVNULL}), **kw}
        done = subprocess.run(self.entered(command, user, env), text=True, timeout=timeout, check=False, **kw)
        assert not check or done.returncode == 0, f"{argv} on {self.name}: {done.returncode} {done.stdout}{done.stderr}"
        return done

    def processes(self, user: str) -> dict[int, str]:
        """The user's living processes on the node: {pid there: command line}."""
        listed = self.run(["ps", "-ww", "-u", user, "-o", "pid=,stat=,args="], check=False).stdout.splitlines()
        rows = [line.split(None, 2) for line in listed]
        return {int(row[0]): row[2] for row in rows if not row[1].startswith("Z")}

    def pause(self, program: str) -> None:
        """Stops a daemon of the node, as one that hangs."""
        self.signal(program, signal.SIGSTOP)

    def signal(self, program: str, number: int) -> None:
        """Sends a signal to the node's processes of this name."""
        self.run(["pkill", f"-{int(number)}", "-x", program])  # in the node's own pid namespace

    @contextmanager
    def network_namespace(self) -> Iterator[IO[bytes]]:
        """An open handle to the node's network, for setns(2)."""
        with Path(f"/proc/{self.pid}/ns/net").open("rb") as handle:
            yield handle

    @property
    def _root(self) -> Path:
        return Path(f"/proc/{self.pid}/root")

    def _first_process(self) -> int:
        """The process that is 1 on the node, by its number on this machine; 0 while there is none."""
        assert self._outer
        for pid in Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text(encoding="utf-8").split():
            with suppress(OSError):
                if os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid"):  # noqa: PTH115 - no file
                    return int(pid)
        return 0

    def _reached(self, step: str) -> bool:
        assert self._outer
        assert self._outer.poll() is None, f"{self.name} died: {self.log}"
        return (self._root / f"run/node.{step}").exists()

    def _cgroup(self, controller: str) -> Path:
        return Path("/sys/fs/cgroup", controller, f"{self._shared.name}-{self.name}")

    def _entry(self) -> str:
        """Bash that puts itself into the node's cgroups before it becomes the node."""
        if self.track != "cgroup":
            return 'exec "$@"'
        places = [self._cgroup(controller) for controller in CONTROLLERS]
        return "".join(f"mkdir -p {p} && echo $$ >{p}/cgroup.procs && " for p in places) + 'exec "$@"'

    def _settings(self) -> dict[str, str]:
        seen = [REPOSITORY, Path(sys.executable).resolve().parent.parent]
        closed = {parent for path in seen for parent in path.parents if not parent.stat().st_mode & 0o001}
        return {
            **CLEAN,
            "NODE_NAME": self.name,
            "NODE_ROLE": "login" if self.name == "qc-login" else "compute",
            "NODE_BASE": str(self._base),
            "NODE_ETC": str(self._shared / "etc"),
            "NODE_HOME": str(self._shared / "home"),
            "NODE_TRACK": self.track,
            "NODE_SHOW": str(REPOSITORY),
            "NODE_SPOOL": str(self._shared / "spool"),
            "NODE_OPEN": " ".join(sorted(map(str, closed))),
            "NODE_HIDE": " ".join(self._hide),
            "NODE_GPUS": str(GPUS),
        }


def remove_cgroup(cgroup: Path) -> bool:
    """Removes a cgroup with all below it; False while a task is still in one."""
    for folder in sorted(cgroup.rglob("*/"), reverse=True) if cgroup.exists() else ():
        try:
            folder.rmdir()
        except OSError:
            return False
    try:
        cgroup.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
