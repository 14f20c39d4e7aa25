"""Who is measured: nobody between, the least, nginx, jupyter-server-proxy and ours, each in front of the same upstream.

Every proxy has a process of its own, listens on a TCP port of this machine and reaches its upstream by the same unix
socket, but where a name says how else. `direct` is TCP, as a browser's connection is.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bench.programs import build, listening
from tests.bench.sessions import running_sessions
from tests.support.deadline import eventually
from tests.support.ports import own_port
from tests.support.servers import JupyterServer
from tests.transports.ssh.sshd import SshNodes

SESSIONS = {"local": 8, "tls": 2, "ssh": 2}
"""Ours allows 16 websockets per session: so many sessions carry the 120 and the 20 that are open at most."""
NODE = "bench-node"
"""What ssh calls the node: this machine, by an ssh server of the benchmark's own."""
WEBSOCKET = "/qconnect/{}/ws/bench-{{n}}"
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log warn; worker_processes 1; {user}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://unix:{socket}; proxy_http_version 1.1; proxy_read_timeout 1h;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Host $host;
    }}
  }}
}}
"""


@dataclass
class Contestant:
    """One way to the upstream: the file that tells the load where to go, and the processes that carry it."""

    name: str
    target: Path
    pid: int | None = None
    server: JupyterServer | None = None

    def processes(self) -> list[psutil.Process]:
        """The proxy's process and all below it; none when nobody is in between."""
        if self.pid is None:
            return []
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]

    def cpu_s(self) -> float:
        """Seconds of processor time that they have used so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes())

    def rss(self) -> int:
        """Bytes of memory that they hold."""
        return sum(process.memory_info().rss for process in self.processes())

    def forget_peak(self) -> None:
        """Has the kernel count the highest memory anew (proc(5), clear_refs)."""
        for process in self.processes():
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")

    def peak_rss(self) -> int:
        """Bytes of memory that they held at most since `forget_peak`."""
        lines = [Path(f"/proc/{process.pid}/status").read_text() for process in self.processes()]
        return sum(int(text.partition("VmHWM:")[2].split()[0]) * 1024 for text in lines)


@dataclass
class World:
    """All contestants, by name, and what keeps them alive."""

    folder: Path
    contestants: dict[str, Contestant] = field(default_factory=dict)

    def add(
        self,
        name: str,
        port: int,
        paths: list[str],
        *,
        pid: int | None = None,
        server: JupyterServer | None = None,
    ) -> None:
        """Writes the contestant's target; a token is in that file only."""
        target = self.folder / f"{name.replace(' ', '-')}.target"
        target.touch(mode=0o600)
        token = [f"Authorization: token {server.token}"] if server else []
        lines = [f"127.0.0.1 {port}", *(f"GET {path}" for path in paths), *token]
        target.write_text("\n".join(lines) + "\n")
        self.contestants[name] = Contestant(name, target, pid, server)


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Everybody, started and answering; the servers start side by side."""
    build()
    with ExitStack() as stack:
        found = World(folder)
        path = folder / "display"
        found.add("direct", stack.enter_context(listening("upstream", "tcp"))[0], ["/"])
        stack.enter_context(listening("upstream", "unix", path))
        port, pid = stack.enter_context(listening("floor", path))
        found.add("C relay", port, ["/"], pid=pid)
        port, pid = stack.enter_context(_nginx(folder / "nginx", path))
        found.add("nginx", port, ["/"], pid=pid)
        servers = {
            "jupyter-server-proxy": _jsp(folder / "jsp", path),
            "ours": _ours(folder / "ours", path),
            "ours, mTLS": _ours_tls(folder / "ours-tls"),
            "ours, ssh": _ours_ssh(folder / "ours-ssh", path),
        }
        pool = stack.enter_context(ThreadPoolExecutor())
        started = {name: pool.submit(stack.enter_context, server) for name, server in servers.items()}
        for name, starting in started.items():
            server, paths = starting.result()
            assert server.process
            found.add(name, server.port, paths, pid=server.process.pid, server=server)
        yield found


@contextmanager
def _nginx(folder: Path, path: Path) -> Iterator[tuple[int, int]]:
    folder.mkdir()
    port = own_port()
    user = "" if os.geteuid() else "user root;"  # its worker must reach the private socket
    (folder / "conf").write_text(NGINX.format(folder=folder, port=port, socket=path, user=user))
    process = subprocess.Popen(["/usr/sbin/nginx", "-p", folder, "-c", folder / "conf"], stderr=subprocess.DEVNULL)
    try:
        eventually((folder / "pid").exists, 10, "nginx")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(10)


class BenchServer(JupyterServer):
    """A Jupyter server without JupyterLab, which nothing here needs, and with the extension that stalls it."""

    def write_config(self) -> None:
        super().write_config()
        path = self.home / "config/jupyter_server_config.json"
        settings = json.loads(path.read_text())
        settings["ServerApp"]["jpserver_extensions"] |= {"tests.bench.stalls": True, "jupyterlab": False}
        path.write_text(json.dumps(settings))


@contextmanager
def _jupyter(home: Path, config: dict[str, object]) -> Iterator[JupyterServer]:
    server = BenchServer(home, config=config)
    try:
        yield server.start()
    finally:
        server.close()


@contextmanager
def _jsp(home: Path, path: Path) -> Iterator[tuple[JupyterServer, list[str]]]:
    servers = {"display": {"command": [], "unix_socket": str(path)}}
    with _jupyter(home, {"ServerProxy": {"servers": servers}}) as server:
        yield server, ["/display/"]


@contextmanager
def _ours(home: Path, path: Path) -> Iterator[tuple[JupyterServer, list[str]]]:
    with running_sessions(home, SESSIONS["local"]) as runs:
        for run in runs:
            run.publish(path=path)
        with _jupyter(home, {"QConnect": {"transport": "local"}}) as server:
            yield server, [WEBSOCKET.format(run.job_id) for run in runs]


@contextmanager
def _ours_tls(home: Path) -> Iterator[tuple[JupyterServer, list[str]]]:
    with running_sessions(home, SESSIONS["tls"]) as runs:
        keys = [runs[0].folder / name for name in ("server.pem", "server.key", "client.pem")]
        with listening("upstream", "tls", *keys) as (port, _):
            for run in runs:
                run.publish(port=port)
            with _jupyter(home, {"QConnect": {"transport": "tls"}}) as server:
                yield server, [WEBSOCKET.format(run.job_id) for run in runs]


@contextmanager
def _ours_ssh(home: Path, path: Path) -> Iterator[tuple[JupyterServer, list[str]]]:
    with running_sessions(home, SESSIONS["ssh"]) as runs, _node(home / "node") as ssh_config:
        for run in runs:
            run.publish(path=path, node=NODE)
        with _jupyter(home, {"QConnect": {"transport": "ssh", "ssh_config": str(ssh_config)}}) as server:
            yield server, [WEBSOCKET.format(run.job_id) for run in runs]


@contextmanager
def _node(folder: Path) -> Iterator[Path]:
    """An ssh server, as it is, that lets this user in; gives the client's configuration that leads to it."""
    folder.mkdir()
    nodes = SshNodes(folder)
    try:
        nodes.add(NODE)
        yield nodes.config
    finally:
        nodes.stop()
