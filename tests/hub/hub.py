"""JupyterHub on the cluster's login node, as a site runs it: real accounts, PAM, its own proxy; reached from here."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.cluster.cluster import Cluster
from tests.cluster.files import USERS
from tests.cluster.forward import Forwarder
from tests.cluster.node import CLEAN, NodeProcess
from tests.support.deadline import eventually
from tests.support.ports import own_port
from tests.support.servers import LEAN_PATH, REPOSITORY, Answer

BIN = Path(sys.executable).parent
PROXY = REPOSITORY / "node_modules/.bin/configurable-http-proxy"
ALL_SCOPES = ["admin:users", "admin:servers", "access:servers", "tokens", "proxy"]
CULLER_SCOPES = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
CULLER = "idle-culler"
SECRET = "nobody-elses"
"""What sessions are called, so that it is seen where somebody else would hear of them."""


class Hub:
    """One hub, its proxy and the servers it has spawned; `settings` are QConnect's, for all users of the site."""

    def __init__(self, cluster: Cluster, name: str, settings: dict[str, Any]) -> None:
        self.cluster, self.settings = cluster, settings
        self.port = own_port()
        self.passwords = {user: secrets.token_hex(8) for user in USERS}
        self.folder = cluster.home(name)
        self._there = Path("/home", name)
        self._token, self._cullers_token = secrets.token_hex(16), secrets.token_hex(16)
        self._process: NodeProcess | None = None
        self._forwarder: Forwarder | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "hub.log").read_text(errors="replace")

    def start(self) -> Hub:
        """Starts the hub, which starts its proxy, and returns when it answers through that."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        (self.folder / "jupyterhub_config.py").write_text(self._config())
        self._lay_etc()
        argv = [sys.executable, "-m", "jupyterhub", "-f", "jupyterhub_config.py"]
        command = ["sh", "-c", f'cd {self._there} && exec "$@"', "sh", *argv]
        node = shutil.which("node", path=f"{BIN}:{CLEAN['PATH']}") or shutil.which("node")
        assert node
        env = {"PATH": f"{BIN}:{Path(node).parent}:{CLEAN['PATH']}"}
        with (self.folder / "hub.log").open("ab") as log:
            self._process = self.cluster.login.popen(
                command, "root", env, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self._forwarder = self._forwarder or Forwarder(self.cluster.login, self.port)
        eventually(self.answers, 60, lambda: f"the hub; its log:\n{self.log[-3000:]}")
        return self

    def stop(self) -> None:
        """As `systemctl stop`: its proxy goes with it, the users' servers stay."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)

    def close(self) -> None:
        """Stops the users' servers, then the hub."""
        for user in USERS:
            for name in self.servers(user):
                self.stop_server(user, name)
        self.stop()
        if self._forwarder:
            self._forwarder.close()

    # -------------------------------------------------------------- its API
    def api(self, method: str, path: str, body: Any = None) -> Answer:
        """What the hub's API answers an administrator."""
        return self.request(method, f"/hub/api/{path}", {"Authorization": f"token {self._token}"}, body)

    def request(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Answer:
        """One request through the proxy; redirects are answers."""
        data = None if body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json", **headers} if data is not None else headers
        request = urllib.request.Request(self.origin + path, data, given, method=method)
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=60) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, f"the hub ended: {self.log[-3000:]}"
        with suppress(OSError):
            return self.api("GET", "proxy").status == 200
        return False

    def start_server(self, user: str, name: str = "") -> None:
        """The user's server, or the one of that name, is up from now on."""
        if not self._ready(user, name):
            assert self.api("POST", f"users/{user}/servers/{name}").status in (201, 202)
        eventually(lambda: self._ready(user, name), 60, lambda: f"{user}'s server; the log:\n{self.log[-3000:]}")

    def stop_server(self, user: str, name: str = "") -> None:
        """It is stopped; its sessions go on."""
        assert self.api("DELETE", f"users/{user}/servers/{name}").status in (202, 204)
        eventually(lambda: name not in self.servers(user), 30, "its end")

    def servers(self, user: str) -> dict[str, Any]:
        """The user's servers that run, by name; the default one's is empty."""
        found = self.api("GET", f"users/{user}")
        return dict(found.json().get("servers") or {}) if found.status == 200 else {}

    def _ready(self, user: str, name: str) -> bool:
        return bool(self.servers(user).get(name, {}).get("ready"))

    def token(self, user: str, scopes: list[str]) -> str:
        """A token of the user's that may do this and nothing else."""
        answer = self.api("POST", f"users/{user}/tokens", {"scopes": scopes, "expires_in": 3600})
        assert answer.status == 201, answer.body
        return str(answer.json()["token"])

    def last_activity(self, user: str, name: str = "") -> str:
        """When the hub's proxy last saw something for this server, by its own table of routes."""
        routes = self.api("GET", "proxy").json()
        return str(routes[route(user, name)]["data"]["last_activity"])

    def routed(self, user: str, name: str = "") -> bool:
        """Whether the proxy is there and leads to this server."""
        with suppress(OSError):
            found = self.api("GET", "proxy")
            return found.status == 200 and route(user, name) in found.json()
        return False

    def ask(self, user: str, method: str, path: str, body: Any = None, name: str = "") -> Any:
        """What QConnect's API answers that user on a server of theirs."""
        headers = {"Authorization": f"token {self.token(user, [f'access:servers!user={user}'])}"}
        answer = self.request(method, f"{route(user, name)}qconnect/api/{path}", headers, body)
        assert answer.status < 300, (answer.status, answer.body)
        return answer.json()

    def session(self, user: str, name: str = "") -> dict[str, Any]:
        """A session of the user's whose display is there."""
        job = self.ask(user, "POST", "sessions", {"app": "xterm", "spec": {"name": SECRET}}, name)["id"]
        found: dict[str, Any] = {}

        def ready() -> bool:
            found.update(self.ask(user, "GET", f"sessions/{job}", name=name))
            return found["state"] == "READY"

        eventually(ready, 90, lambda: f"a display; the session is {found}")
        return found

    @contextmanager
    def culling(self, idle_s: int) -> Iterator[None]:
        """Meanwhile the real culler stops servers that were idle for so long."""
        argv = [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={idle_s}", "--cull-every=2"]
        env = {"JUPYTERHUB_API_TOKEN": self._cullers_token, "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/hub/api"}
        with (self.folder / "culler.log").open("ab") as log:
            culler = self.cluster.login.popen(argv, "root", env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            assert culler.poll() is None, (self.folder / "culler.log").read_text(errors="replace")
            culler.terminate()
            culler.wait(10)

    def kill_proxy(self) -> None:
        """As a crash; the hub notices by itself."""
        self.cluster.login.run(["pkill", "-KILL", "-f", "configurable-http-proxy"])  # in the node's own pid namespace

    # -------------------------------------------------------------- as a site sets it up
    def _lay_etc(self) -> None:
        """Passwords, and the site's configuration of all users' servers."""
        for user, password in self.passwords.items():
            self.cluster.login.run("chpasswd -c SHA512", input=f"{user}:{password}\n")
        labextensions = self.cluster.folder / "home/labextensions"
        labextensions.mkdir(exist_ok=True)
        if not (link := labextensions / "qconnect-web").exists():
            link.symlink_to(REPOSITORY / "qconnect_web/labextension")
        settings = {
            "QConnect": self.settings,
            "LabApp": {"expose_app_in_browser": True, "extra_labextensions_path": ["/home/labextensions"]},
            "LanguageServerManager": {"autodetect": False},
        }
        place = "mkdir -p /etc/jupyter && cat >/etc/jupyter/jupyter_server_config.json"
        self.cluster.login.run(place, input=json.dumps(settings))

    def _config(self) -> str:
        tokens = {"tests": self._token, CULLER: self._cullers_token}
        scopes = {"tests": ALL_SCOPES, CULLER: CULLER_SCOPES}
        settings = {
            "JupyterHub.bind_url": self.origin,
            "JupyterHub.cleanup_servers": False,
            "JupyterHub.allow_named_servers": True,
            "JupyterHub.last_activity_interval": 2,
            "JupyterHub.services": [{"name": name, "api_token": token} for name, token in tokens.items()],
            "JupyterHub.load_roles": [{"name": n, "scopes": found, "services": [n]} for n, found in scopes.items()],
            "ConfigurableHTTPProxy.command": [str(PROXY)],
            "Authenticator.allowed_users": set(USERS),
            "Spawner.environment": {"PYTHONPATH": LEAN_PATH, "PYTHONDONTWRITEBYTECODE": "1"},
        }
        return "".join(f"c.{name} = {value!r}\n" for name, value in settings.items())


def route(user: str, name: str = "") -> str:
    """The base URL of a user's server, which the proxy knows it by."""
    return f"/user/{user}/{name}/" if name else f"/user/{user}/"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None
