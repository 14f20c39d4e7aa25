"""Real web servers in front of a Jupyter server, with the very blocks of docs/reverse-proxies.md, or changed ones."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from tests.support.deadline import eventually
from tests.support.ports import own_port
from tests.support.servers import REPOSITORY, JupyterServer

NAME = "jupyter.example.org"
PREFIX = "/jupyter/"
PAGE = REPOSITORY / "docs/reverse-proxies.md"
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log warn; worker_processes 1; {user}
events {{ worker_connections 1024; }}
http {{
  access_log off; types {{ text/html html; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{sites}
}}
"""
MODULES = ("mpm_event", "authz_core", "ssl", "socache_shmcb", "proxy", "proxy_http", "headers")
APACHE = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
ServerName {name}
Listen 127.0.0.1:{port}
{modules}
{sites}
"""


def block(language: str) -> str:
    """The page's block in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return str(found)


class NamedServer(JupyterServer):
    """A server with the settings that the page gives to Jupyter."""

    def write_config(self) -> None:
        super().write_config()
        page = block("python")
        assert f'base_url = "{PREFIX}"' in page
        (self.home / "config/jupyter_server_config.py").write_text(page, encoding="utf-8")


@dataclass
class ReverseProxy(ABC):
    """A web server that ends TLS at `https://jupyter.example.org:<port>` and has `upstream` behind it."""

    folder: Path
    upstream: str
    """`http://127.0.0.1:<port>`, or what else the server knows."""
    port: int = field(default_factory=own_port)
    process: subprocess.Popen[bytes] | None = None
    authority: trustme.CA = field(default_factory=trustme.CA)

    @property
    def origin(self) -> str:
        return f"https://{NAME}:{self.port}"

    @property
    def url(self) -> str:
        """Jupyter's base URL, as a browser knows it."""
        return self.origin + PREFIX

    def trust(self) -> ssl.SSLContext:
        """What a client needs to believe its certificate."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    def start(self, sites: str | None = None) -> ReverseProxy:
        """Starts it with the page's block, or another, whose names and ports are made ours; returns when it listens."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "pid").unlink(missing_ok=True)
        certificate = self.authority.issue_cert(NAME)
        certificate.private_key_pem.write_to_path(str(self.folder / "key.pem"))
        certificate.cert_chain_pems[0].write_to_path(str(self.folder / "cert.pem"))
        text = self.config(self._ours(sites or self.block()))
        (self.folder / "conf").write_text(text, encoding="utf-8")
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(self.argv(), stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        eventually((self.folder / "pid").exists, 20, self._said)
        return self

    def change(self, sites: str | None = None) -> None:
        """The same place with another block, as after a restart."""
        self.close()
        self.start(sites)

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def _ours(self, text: str) -> str:
        """With this test's ports and files."""
        text = text.replace("http://127.0.0.1:8888", self.upstream)
        text = text.replace("listen 443", f"listen 127.0.0.1:{self.port}").replace("*:443", f"127.0.0.1:{self.port}")
        text = text.replace(f"/etc/ssl/certs/{NAME}.pem", str(self.folder / "cert.pem"))
        return text.replace(f"/etc/ssl/private/{NAME}.key", str(self.folder / "key.pem"))

    def _said(self) -> str:
        logs = [self.folder / name for name in ("output", "error.log")]
        return "the web server: " + "\n".join(path.read_text() for path in logs if path.exists())

    @abstractmethod
    def block(self) -> str:
        """The page's block for this server."""

    @abstractmethod
    def config(self, sites: str) -> str:
        """The whole configuration, with these sites in it."""

    @abstractmethod
    def argv(self) -> list[str]:
        """Its command, in the foreground."""


class Nginx(ReverseProxy):
    """Debian's nginx."""

    def block(self) -> str:
        return block("nginx")

    def config(self, sites: str) -> str:
        user = "" if os.geteuid() else "user root;"  # its worker must reach what is the test's own
        return NGINX.format(folder=self.folder, user=user, sites=sites)

    def argv(self) -> list[str]:
        return ["/usr/sbin/nginx", "-p", str(self.folder), "-c", str(self.folder / "conf")]


class Apache(ReverseProxy):
    """Debian's Apache."""

    def block(self) -> str:
        return block("apache")

    def config(self, sites: str) -> str:
        folder = Path("/usr/lib/apache2/modules")
        modules = "\n".join(f"LoadModule {name}_module {folder}/mod_{name}.so" for name in MODULES)
        return APACHE.format(folder=self.folder, name=NAME, port=self.port, modules=modules, sites=sites)

    def argv(self) -> list[str]:
        return ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", str(self.folder / "conf")]
