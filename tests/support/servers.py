"""A real Jupyter server in a process of its own, with a home of its own, and what its sessions leave behind."""

from __future__ import annotations

import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.support.deadline import eventually
from tests.support.ports import own_port

REPOSITORY = Path(__file__).parents[2]
LEAN_PATH = f"{REPOSITORY}:{REPOSITORY}/tests/lean"
"""PYTHONPATH of servers that start as fast as they can."""


@dataclass
class Answer:
    """An HTTP answer: status, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class JupyterServer:
    """One user's server; `home` is everything it and its jobs know of the world; `programs` come first on its PATH."""

    home: Path
    module: str = "jupyter_server"
    config: dict[str, Any] = field(default_factory=dict)
    port: int = field(default_factory=own_port)
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    prefix: str = "/"
    wrapper: Path | None = None
    arguments: tuple[str, ...] = ()
    programs: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    context: ssl.SSLContext | None = None
    """What a client needs to believe a server that ends TLS itself."""

    @property
    def origin(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return self.origin + self.prefix

    @property
    def there(self) -> Path:
        """`home` as the server itself sees it."""
        return self.home

    @property
    def log(self) -> str:
        path = self.home / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def settings(self) -> dict[str, Any]:
        """More of Jupyter's own settings."""
        return {}

    def write_config(self) -> None:
        """The server's configuration, in private files as a user would have them."""
        config = self.home / "config"
        (config / "labconfig").mkdir(parents=True, exist_ok=True)
        (self.home / "work").mkdir(exist_ok=True)
        news = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
        (config / "labconfig" / "page_config.json").write_text(json.dumps(news))
        settings: dict[str, Any] = {
            "IdentityProvider": {"token": self.token},
            "ServerApp": {
                "ip": "127.0.0.1",
                "port": self.port,
                "port_retries": 0,
                "open_browser": False,
                "allow_root": True,
                "base_url": self.prefix,
                "root_dir": str(self.there / "work"),
                "jpserver_extensions": {"qconnect_web": True},
                **self.settings(),
            },
            "LabApp": {"expose_app_in_browser": True},
            "LanguageServerManager": {"autodetect": False},  # it would run npm, with the server's whole environment
            **self.config,
        }
        settings["QConnect"] = {"scheduler": "local", **self.config.get("QConnect", {})}
        path = config / "jupyter_server_config.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(settings))

    def environment(self) -> dict[str, str]:
        """As a fresh login would have it: nothing of the caller's Jupyter."""
        kept = {name: value for name, value in os.environ.items() if name in ("LANG", "PATH", "TERM", "VIRTUAL_ENV")}
        places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
        kept |= {name: str(self.home / place) for name, place in places.items()}
        kept["PATH"] = f"{Path(sys.executable).parent}:{kept.get('PATH', '/usr/bin:/bin')}"
        kept["PATH"] = f"{self.programs}:{kept['PATH']}" if self.programs else kept["PATH"]
        return {**kept, "HOME": str(self.home), "SHELL": "/bin/bash", "PYTHONPATH": LEAN_PATH}

    def start(self, timeout: float = 60) -> JupyterServer:
        """Starts the server and returns when it answers."""
        self.write_config()
        argv = [sys.executable, *([str(self.wrapper)] if self.wrapper else ["-m", self.module]), *self.arguments]
        with (self.home / "server.log").open("ab") as log:
            self.process = self.spawn(argv, log)
        eventually(self.answers, timeout, f"an answer of the server; its log:\n{self.log[-3000:]}")
        return self

    def spawn(self, argv: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """The server's process, on the machine where it is to run."""
        return subprocess.Popen(
            argv, env=self.environment(), cwd=self.home, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )

    def answers(self) -> bool:
        """Whether the server answers; fails at once when it has died."""
        assert self.process
        assert self.process.poll() is None, f"the server died:\n{self.log[-4000:]}"
        try:
            return self.request("GET", "api/status").status == 200
        except OSError:
            return False

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, auth: bool = True
    ) -> Answer:
        """One request below the base URL, JSON in."""
        given = {"Authorization": f"token {self.token}"} if auth else {}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            given["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, data, {**given, **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.context) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def launch(self, app: str = "xterm", **body: Any) -> dict[str, Any]:
        """Starts a session; returns its JSON."""
        answer = self.request("POST", "qconnect/api/sessions", {"app": app, **body})
        assert answer.status == 201, answer.body
        return dict(answer.json())

    def session(self, job_id: str) -> dict[str, Any]:
        return dict(self.request("GET", f"qconnect/api/sessions/{job_id}").json())

    def sessions(self) -> list[dict[str, Any]]:
        return list(self.request("GET", "qconnect/api/sessions").json()["sessions"])

    def wait_for(self, job_id: str, *states: str, timeout: float = 30) -> dict[str, Any]:
        """The session, as soon as it is in one of these states."""
        seen: dict[str, Any] = {}

        def arrived() -> bool:
            seen.update(self.session(job_id))
            return seen.get("state") in states

        try:
            eventually(arrived, timeout, f"{states}")
        except AssertionError as error:
            log = self.request("GET", f"qconnect/api/sessions/{job_id}/log").json()
            raise AssertionError(f"{error}; it is {seen}; its log: {log}") from None
        return seen

    def end(self, job_id: str) -> dict[str, Any]:
        """Stops a session and waits until it has ended."""
        assert self.request("POST", f"qconnect/api/sessions/{job_id}/stop").status == 200
        return self.wait_for(job_id, "ENDED", "FAILED")

    def kill(self) -> None:
        """As a crash: nothing is cleaned up."""
        assert self.process
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """As Ctrl-C, twice."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def close(self) -> None:
        """Stops the server and whatever its sessions still have running."""
        self.stop()
        for pid in self.leftovers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        eventually(lambda: not self.leftovers(), 10, "the end of all processes")

    def leftovers(self) -> dict[int, str]:
        """The processes, other than the server, that live in this home: {pid: command line}."""
        marker = f"HOME={self.home}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or (self.process and int(entry.name) == self.process.pid):
                continue
            try:
                environ = (entry / "environ").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if marker in environ and state != "Z":
                found[int(entry.name)] = command
        return found

    @property
    def pid(self) -> int:
        """The number of the server's process on this machine."""
        assert self.process
        return self.process.pid

    def fds(self) -> int:
        """How many files the server has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def rss(self) -> int:
        """The server's resident memory in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def displays(home: Path) -> set[str]:
    """The numbers of the X displays that this home's sessions have now."""
    found = set()
    for path in home.glob(".local/share/qconnect/sessions/*/connection.json"):
        with suppress(OSError):  # it ended at this moment
            found.add(json.loads(path.read_text().splitlines()[0])["display"][1:])
    return found


def x_traces(home: Path, numbers: set[str]) -> set[str]:
    """What is left of this home's sessions: runtime folders, and X locks and sockets of these displays that are dead.

    Other people's displays come and go on the same machine, with the same numbers: what somebody answers for is theirs.
    """
    used = {line.split()[-1].lstrip("@") for line in Path("/proc/net/unix").read_text("utf-8", "replace").splitlines()}
    sockets = {f"/tmp/.X11-unix/X{number}" for number in numbers} - used
    locks = {f"/tmp/.X{number}-lock" for number in numbers if f"/tmp/.X11-unix/X{number}" not in used}
    folders = {str(path.parent) for path in Path("/tmp").glob("qc-*/who") if _names(path, home)}
    return {*folders, *(path for path in sockets | locks if Path(path).exists())}


def _names(who: Path, home: Path) -> bool:
    """Whether a runtime folder's own description names this home."""
    try:
        return os.fsencode(home) in who.read_bytes()
    except OSError:
        return False


def settled(predicate: Any, still_for: float = 1.0, timeout: float = 10) -> bool:
    """Whether something becomes true and stays so for a while."""
    deadline = time.monotonic() + timeout
    since = None
    while time.monotonic() < deadline:
        if not predicate():
            since = None
        elif since is None:
            since = time.monotonic()
        elif time.monotonic() - since >= still_for:
            return True
        time.sleep(0.05)
    return False
