"""Are the ways to the displays set up, and the programs, clients and apps here that they need?"""

from __future__ import annotations

import os
import platform
import resource
import shutil
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from .findings import Finding, Level

if TYPE_CHECKING:
    from ..config import QConnect
    from ..sessions.manager import SessionManager

FEW_FILES = 1024
PACKAGES = ("qconnect-web", "jupyter_server", "jupyterlab", "notebook", "jupyterhub", "tornado", "traitlets")
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def transport(settings: QConnect, *, local: bool) -> list[Finding]:
    check, name = "transport", str(settings.transport)
    if name == "local":
        advice = "Set c.QConnect.transport to 'tls' or 'ssh'."
        bad = [Finding(check, Level.PROBLEM, "local: unix sockets, but jobs run on other machines.", advice)]
        return [Finding(check, Level.OK, "local: unix sockets on this machine.")] if local else bad
    found = []
    if name in ("tls", "auto"):
        first, last = settings.port_base, settings.port_base + settings.port_range - 1
        low, high = (int(word) for word in EPHEMERAL.read_text(encoding="utf-8").split())
        clash = first <= high and low <= last
        advice = "Set c.QConnect.port_base and port_range outside it, else a port may be taken at a job's start."
        ports = f"{name}: mutual TLS to ports {first} to {last} of the nodes."
        own = f"{ports} The kernel gives {low} to {high} to others."
        found.append(Finding(check, Level.WARNING, own, advice) if clash else Finding(check, Level.OK, ports))
    if name in ("ssh", "auto"):
        program = shutil.which(settings.ssh_command)
        config = Path(settings.ssh_config).expanduser() if settings.ssh_config else None
        lacks = [] if program else [settings.ssh_command]
        lacks += [str(config)] if config and not config.is_file() else []
        if lacks:
            advice = "Install OpenSSH's client, or correct c.QConnect.ssh_command and ssh_config."
            found.append(Finding(check, Level.PROBLEM, f"{name}: not found: {', '.join(lacks)}.", advice))
        else:
            found.append(Finding(check, Level.OK, f"{name}: {program} to the nodes. Try: {settings.ssh_command} NODE"))
    return found


def programs(settings: QConnect, *, local: bool) -> list[Finding]:
    needed = ("tmux", "terminals on this machine") if local else (settings.ssh_command, "terminals on nodes")
    wanted = [needed, ("xpra", "windows on your own display"), ("vncviewer", "VNC desktops on your own display")]
    display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    found = []
    for index, (name, purpose) in enumerate(wanted):
        path = shutil.which(name)
        level = Level.OK if path or not (display or index == 0) else Level.WARNING
        advice = "" if level is Level.OK else f"Install {name}; the browser needs none of it."
        words = f"{path} shows {purpose}." if path else f"{name} is not here: no {purpose}."
        found.append(Finding("programs here", level, words, advice))
    return found


def clients(settings: QConnect) -> list[Finding]:
    from ..clients.xpra import load_client, load_vnc_client

    check, found = "HTML5 client", []
    for folder in map(Path, settings.client_dirs):
        if client := load_client(folder):
            version = ".".join(map(str, client.version or ()))
            found.append(Finding(check, Level.OK, f"{folder} serves displays of xpra {version}."))
        else:
            advice = (
                "Displays open slower, from the node's own files. Install xpra's client, or set c.QConnect.client_dirs."
            )
            found.append(Finding(check, Level.WARNING, f"There is none in {folder}, or its xpra is mute.", advice))
    try:
        load_vnc_client()
    except OSError:
        found.append(
            Finding(check, Level.PROBLEM, "noVNC is not here: no VNC desktops.", "Install qconnect_web again.")
        )
    return found


def versions() -> list[Finding]:
    found = [f"{name} {version}" for name in PACKAGES if (version := _version(name))]
    return [Finding("versions", Level.OK, f"Python {platform.python_version()}, {', '.join(found)}.")]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def apps(manager: SessionManager) -> list[Finding]:
    apps = manager.apps.apps()
    wrong = [Finding("apps", Level.WARNING, text, "Correct the file.") for text in manager.apps.problems]
    return [*wrong, Finding("apps", Level.OK, f"{len(apps)} can be started.")]


def limits(settings: QConnect) -> list[Finding]:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    live = f"{settings.max_sessions} live sessions" if settings.max_sessions else "any number of live sessions"
    found = f"{live} for each user; {settings.max_websockets or 'any number of'} connections to a display."
    if files >= FEW_FILES:
        return [Finding("limits", Level.OK, found)]
    advice = f"A display takes several files: raise `ulimit -n` to {FEW_FILES} or more."
    return [Finding("limits", Level.WARNING, f"{found} This process may open {files} files only.", advice)]
