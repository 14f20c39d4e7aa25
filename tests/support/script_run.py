"""Runs a rendered job script as a plain detached process with real xpra, and looks after it from outside."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from qconnect_web.job_script import render, render_by_hand
from qconnect_web.private_files import unseal
from qconnect_web.values.app import App
from qconnect_web.values.job import JobSpec
from qconnect_web.values.session import Record
from tests.support.deadline import eventually

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def app(*command: str, kind: str = "gui", setup: str = "", requires: tuple[str, ...] = (), opengl: bool = False) -> App:
    """An app that starts `command`, xterm if there is none."""
    return App(
        name="probe",
        title="Probe",
        description="",
        category="",
        icon=Path("probe.svg"),
        kind=kind,
        command=command or ("xterm",),
        setup=setup,
        requires=requires,
        opengl=opengl,
    )


class ScriptRun:
    """One job: the script in a session of its own, as a batch system starts it."""

    def __init__(self, folder: Path, job: str | None = None, *, sessions: Path | None = None) -> None:
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        self.job = job or f"{random.randint(100_000, 900_000_000)}.local"
        self.sessions = sessions
        self.key = ""
        self.script = folder / f"{self.job}.sh"
        self.env = {"HOME": str(self.home), "PATH": SYSTEM_PATH, "PBS_JOBID": self.job, "LANG": "C.UTF-8"}
        self.umask = 0o022
        self.user: int | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self._seen: dict[int, psutil.Process] = {}

    @property
    def folder(self) -> Path:
        root = self.sessions or self.home / ".local/share/qconnect/sessions"
        return root / (self.key or "job-" + self.job.replace("[", "_").replace("]", "_"))

    def by_hand(self, what: App, spec: JobSpec | None = None) -> ScriptRun:
        self.script.write_text(render_by_hand(what, spec or JobSpec(name="probe")))
        return self

    def tagged(self, what: App, spec: JobSpec | None = None, bind: str = "tls", **ports: int) -> ScriptRun:
        """A script for a folder that exists already, with the tag in the environment."""
        self.key = "abc" + self.job.partition(".")[0]
        self.folder.mkdir(mode=0o700, parents=True)
        record = Record(self.key, what.name, what.title, spec or JobSpec(name="probe"), what.command, time.time())
        root = self.folder.parent
        self.script.write_text(render(what, record, sessions_dir=root, bind=bind, **ports))  # type: ignore[arg-type]  # the ports are numbers
        self.env["QCONNECT_SESSION"] = self.key
        return self

    def change(self, old: str, new: str) -> ScriptRun:
        """Makes a mutant; `old` must be there."""
        text = self.script.read_text()
        assert old in text, f"the script has no {old!r}"
        self.script.write_text(text.replace(old, new))
        return self

    def start(self) -> ScriptRun:
        self.script.chmod(0o755)
        with (self.script.parent / f"{self.job}.out").open("ab") as out:
            self.process = subprocess.Popen(
                ["/usr/bin/env", "--default-signal=HUP,INT,QUIT", str(self.script)],  # we may run under nohup
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                umask=self.umask,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
                cwd="/",
            )
        return self

    def __enter__(self) -> ScriptRun:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        runtime = self.runtime
        self.look()
        assert self.process
        self.process.terminate()
        self.process.wait(10)
        if runtime and runtime.exists() and any(self.living()):
            with suppress(AssertionError):  # a test that killed the supervisor cleans up here
                eventually(lambda: not runtime.exists(), 5)
        for process in self._seen.values():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if runtime:
            shutil.rmtree(runtime, ignore_errors=True)

    @property
    def output(self) -> str:
        return (self.script.parent / f"{self.job}.out").read_text()

    @property
    def runtime(self) -> Path | None:
        log = self.text("job.log")
        return Path(log.partition("runtime folder ")[2].split("\n")[0]) if "runtime folder " in log else None

    def text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def read(self, name: str) -> dict[str, Any] | None:
        """A two-line JSON file of the session, None while there is no whole one."""
        try:
            return unseal((self.folder / name).read_bytes())
        except FileNotFoundError:
            return None

    def ready(self, timeout: float = 30) -> dict[str, Any]:
        def settled() -> dict[str, Any] | None:
            assert not self.read("ended.json"), (self.read("ended.json"), self.text("job.log"), self.text("xpra.log"))
            return self.read("connection.json")

        try:
            found = eventually(settled, timeout, "connection.json")
        except AssertionError as error:
            logs = {name: self.text(name) for name in ("job.log", "xpra.log", "xvfb.log")}
            raise AssertionError(f"{error}: {logs}, {self.output!r}") from None
        self.look()
        return found

    def ended(self, timeout: float = 30) -> dict[str, Any]:
        self.look()
        try:
            return eventually(lambda: self.read("ended.json"), timeout, "ended.json")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.text('job.log')}") from None

    def exit_status(self, timeout: float = 30) -> int:
        assert self.process
        return self.process.wait(timeout)

    def look(self) -> dict[int, psutil.Process]:
        """Everything below the top shell, and whatever names the runtime folder; remembered for the end."""
        assert self.process
        with suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.process.pid)
            self._seen.update({found.pid: found for found in [top, *top.children(recursive=True)]})
        if self.runtime:
            self._seen.update({found.pid: found for found in mentioning(str(self.runtime))})
        return self._seen

    def listening(self) -> list[int]:
        """The ports of all of the run's network sockets that wait for strangers (TCP listeners, UDP)."""
        found = []
        for process in self.look().values():
            with suppress(psutil.NoSuchProcess):
                found += [one.laddr.port for one in process.net_connections("inet") if not one.raddr]
        return found

    def pid(self, name: str) -> int:
        """The process that the job started under that name: app, xpra, xvfb, supervisor."""
        assert self.runtime
        return int((self.runtime / f"{name}.pid").read_text().partition(":")[0])

    def cancel(self) -> None:
        """As TORQUE: TERM to each process of the job's session, KILL 0.1 s later (torque.md, qdel)."""
        self.look()
        assert self.process
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in psutil.pids():
                with suppress(ProcessLookupError):
                    if os.getsid(pid) == self.process.pid:
                        os.kill(pid, number)
            time.sleep(0.1)  # the mom's own pause, not a wait for anything

    def living(self) -> list[str]:
        alive = []
        for process in self._seen.values():
            with suppress(psutil.NoSuchProcess):
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    alive.append(f"{process.pid} {process.cmdline()}")
        return alive

    def leftovers(self, display: str | None, runtime: Path | None) -> list[str]:
        """Processes, X locks and sockets, runtime folder and files in the home that the run left."""
        number = (display or ":none")[1:]
        paths = [Path(f"/tmp/.X{number}-lock"), Path(f"/tmp/.X11-unix/X{number}"), *([runtime] if runtime else [])]
        strangers = [entry for entry in self.home.iterdir() if entry.name not in (".local", ".cache")]
        return [*self.living(), *(str(path) for path in paths if path.exists()), *map(str, strangers)]


def mentioning(text: str) -> list[psutil.Process]:
    """Processes with that text in their environment or arguments."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            where = Path(f"/proc/{process.pid}")
            if text.encode() in (where / "environ").read_bytes() + (where / "cmdline").read_bytes():
                found.append(process)
    return found


def client_context(folder: Path, certificate: Path | None) -> ssl.SSLContext:
    """A context that trusts the session's server and shows `certificate` (a PEM beside its .key)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "server.pem")
    if certificate:
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


def ask(port: int, context: ssl.SSLContext | None, address: str = "127.0.0.1") -> bytes:
    """The answer to GET /Status: what came before the end, empty when the far end refused."""
    answer = b""
    with ExitStack() as opened, suppress(OSError):
        found = opened.enter_context(socket.create_connection((address, port), timeout=10))
        if context:
            found = opened.enter_context(context.wrap_socket(found, server_hostname="qconnect-server"))
        found.sendall(b"GET /Status HTTP/1.0\r\nHost: qconnect-server\r\n\r\n")
        while part := found.recv(4096):
            answer += part
    return answer
