#!/usr/bin/python3 -IS
"""TORQUE's mom for one job, as the engine's batch script on the job's node, as the job's user.

It runs the login shell in a session of its own, with the script's name on its standard input, and kills as TORQUE does:
the session only, SIGTERM and 0.1 s later SIGKILL, so that whatever made a session of its own stays alive.
USR1 and TERM mean qdel, USR2 qrerun.
"""

from __future__ import annotations

import json
import os
import pwd
import resource
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.cluster.torque import engine

GRACE_S = 0.1
STUBBORN_S = 2.0
"""How long a login shell that ignores SIGTERM is waited for (kill_delay)."""
WALLTIME_GRACE_S = 5.0
STEP_S = 0.01


class Mom:
    """One run of one job; what it was told is in `order`, what became of it goes into the job's report."""

    def __init__(self, path: Path, poll_s: float) -> None:
        self.path = path
        self.job = json.loads(path.read_text(encoding="utf-8"))
        self.report = path.with_suffix(".report")
        self.spool = path.parent.parent.parent
        self.poll_s = poll_s
        self.order: str | None = None
        self.killed: float | None = None
        self.status: int | None = None
        self.began = time.time()
        self.said: dict[str, object] = {}
        self.out, self.err = self._output_files()

    def run(self) -> None:
        """From start to end."""
        for number, order in ((signal.SIGUSR1, "qdel"), (signal.SIGTERM, "qdel"), (signal.SIGUSR2, "qrerun")):
            signal.signal(number, lambda *_, order=order: self._told(order))
        self.shell = self._start()
        self._say(session=self.shell, started=self.began, node=socket.gethostname())
        next_poll = self.began + self.poll_s
        while not self._reaped():
            now = time.time()
            if now >= next_poll:
                next_poll = now + self.poll_s
                self._check_walltime(now)
            self._press(now)
            time.sleep(STEP_S)
        self._kill_session(signal.SIGKILL)
        hint = None if self.order == "qrerun" else self._deliver()
        self._say(ended=time.time(), order=self.order, status=self._exit_status(), hint=hint, used=self._used())

    def _told(self, order: str) -> None:
        if self.order is None:
            self.order = order
            self._say(acknowledged=order)
            self.killed = time.time()
            self._kill_session(signal.SIGTERM)

    def _press(self, now: float) -> None:
        """The login shell is the one that must die; the rest of the session gets 0.1 s from its death."""
        if self.killed is None:
            return
        patience = WALLTIME_GRACE_S if self.order == "walltime" else float(self.job["kill_delay"] or STUBBORN_S)
        if now - self.killed > patience:
            self._kill_session(signal.SIGKILL)

    def _check_walltime(self, now: float) -> None:
        elapsed, limit = now - self.began, json.loads(self.path.read_text())["walltime"]  # qalter may change it
        if self.order is None and elapsed > limit:
            self.order, self.killed = "walltime", now
            with self.err.open("a") as log:
                log.write(f"=>> PBS: job killed: walltime {int(elapsed)} exceeded limit {limit}\n")
            self._kill_session(signal.SIGTERM)

    def _reaped(self) -> bool:
        """Whether the login shell is dead (and, after a kill, the rest of its session has had its grace)."""
        if self.status is None:
            pid, status = os.waitpid(self.shell, os.WNOHANG)
            if not pid:
                return False
            self.status = status
            self.shell_died = time.time()
        if self.order == "walltime":
            late = self.killed is None or time.time() - self.killed > WALLTIME_GRACE_S
            return late or not self._session()
        return self.killed is None or time.time() - self.shell_died > GRACE_S

    def _exit_status(self) -> int:
        assert self.status is not None
        if self.order == "walltime":
            return -11
        if os.WIFSIGNALED(self.status):
            return 256 + os.WTERMSIG(self.status)
        return os.WEXITSTATUS(self.status)

    def _session(self) -> list[int]:
        """The processes of the job's session."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else []
            except OSError:
                continue
            if fields and int(fields[3]) == self.shell and fields[0] != "Z":
                found.append(int(entry.name))
        return found

    def _kill_session(self, number: int) -> None:
        for pid in self._session():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def _say(self, **more: object) -> None:
        """Tells the server."""
        self.said |= more
        part = self.report.with_suffix(".part")
        part.write_text(json.dumps(self.said))
        part.rename(self.report)

    def _output_files(self) -> tuple[Path, Path]:
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
        kept, number = self.job["keep"], self.job["id"].partition(".")[0]
        out = home / f"{self.job['name']}.o{number}" if "o" in kept else self.spool / "spool" / f"{self.job['id']}.OU"
        err = home / f"{self.job['name']}.e{number}" if "e" in kept else self.spool / "spool" / f"{self.job['id']}.ER"
        return (out, out) if self.job["join"] == "oe" else (err, err) if self.job["join"] == "eo" else (out, err)

    def _start(self) -> int:
        """Forks the login shell: `-bash`, reading the script's path from a pipe."""
        read, write = os.pipe()
        other_read, _other_write = os.pipe()
        nodefile = self.spool / "aux" / self.job["id"]
        nodes = engine.hosts(os.environ["SLURM_JOB_NODELIST"])
        nodefile.write_text("".join(f"{node}\n" * self.job["ppn"] for node in nodes))
        if pid := os.fork():
            os.write(write, f"{self.job['script']}\n".encode())
            os.close(write)
            return pid
        try:
            self._become_job(read, other_read)
        finally:
            os._exit(127)

    def _become_job(self, read: int, other_read: int) -> None:
        """In the child: session, limits, files, environment, then the shell."""
        os.setsid()
        os.umask(0o077)
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(read, 0)
        for number, path in ((1, self.out), (2, self.err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
        os.dup2(read, 9)  # as the mom's own pipes leak into its jobs
        os.dup2(other_read, 14)
        os.closerange(15, 256)
        for number in (read, other_read):
            if number not in (9, 14):
                os.close(number)
        for name, limit in self.job["limits"].items():
            most = resource.getrlimit(getattr(resource, name))[1]  # the engine's own, for a user's process
            allowed = limit if most == resource.RLIM_INFINITY else min(limit, most)
            resource.setrlimit(getattr(resource, name), (allowed, allowed))
        user = pwd.getpwuid(os.getuid())
        os.chdir(user.pw_dir)
        shell = self.job["shell"] or user.pw_shell
        try:
            os.execve(shell, [f"-{Path(shell).name}"], self._environment(user.pw_dir, shell))  # noqa: S606
        except OSError:
            os.write(2, f"PBS: exec of shell '{shell}' failed\n".encode())

    def _environment(self, home: str, shell: str) -> dict[str, str]:
        user = self.job["owner"]
        place = str(self.spool / "aux")
        return {
            **self.job["variables"],
            "HOME": home,
            "USER": user,
            "LOGNAME": user,
            "SHELL": shell,
            "ENVIRONMENT": "BATCH",
            "LANG": "C.UTF-8",
            "HOSTNAME": socket.gethostname(),
            "PATH": "/bin:/usr/bin",
            "PBS_NODEFILE": f"{place}//{self.job['id']}",
            "PBS_GPUFILE": f"{place}//{self.job['id']}gpu",
            "PBS_MICFILE": f"{place}//{self.job['id']}mic",
        }

    def _deliver(self) -> str | None:
        """Copies the output to where it is wanted; the complaint when that fails."""
        complaint = None
        for source, wanted in ((self.out, self.job["output"]), (self.err, self.job["error"])):
            if source.parent.name != "spool" or not source.exists():
                continue
            host, _, path = wanted.partition(":")
            target = Path(path)
            if target.is_dir() or path.endswith("/"):
                target /= f"{self.job['name']}.{'o' if source is self.out else 'e'}{self.job['id'].partition('.')[0]}"
            try:
                if host != self.job["host"]:
                    raise OSError(f"{host} cannot be reached")
                shutil.copyfile(source, target)
                if target.is_file():
                    target.chmod(0o600)
                source.unlink()
            except OSError:
                shutil.move(source, self.spool / "undelivered" / source.name)
                complaint = "Unable to copy files back - please see the mother superior's log for exact details."
        return complaint

    def _used(self) -> dict[str, str]:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        total, lived = int(usage.ru_utime + usage.ru_stime), int(time.time() - self.began)
        return {
            "cput": f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}",
            "vmem": "0kb",
            "walltime": f"{lived // 3600:02}:{lived // 60 % 60:02}:{lived % 60:02}",
            "mem": f"{usage.ru_maxrss}kb",
            "energy_used": "0",
        }


if __name__ == "__main__":
    Mom(Path(sys.argv[1]), float(sys.argv[2])).run()
