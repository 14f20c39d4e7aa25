"""What a job found out about its node (on_node.sh), judged."""

from __future__ import annotations

import re
import time
from pathlib import Path

from ..clients.xpra import load_client, xpra_version
from ..values.session import Connection
from .findings import Finding, Level

SCRIPT = Path(__file__).with_name("on_node.sh")
SAID = re.compile(r"^doctor: ([a-z]+)=(.*)$", re.MULTILINE)
SKEW_S = 15.0
"""Seconds by which a node's clock may seem to differ: what it wrote is noticed a little later."""


def report(log: str) -> dict[str, str]:
    """What the job has said so far, by name."""
    return dict(SAID.findall(log))


def judge(said: dict[str, str], connection: Connection, client_dirs: list[str]) -> list[Finding]:
    """The findings about the node, in an order for reading; reads the clients' folders, so it blocks."""
    return [
        Finding("node", Level.OK, f"The job ran on {connection.node} ({said.get('system') or 'unknown system'})."),
        _client(connection, client_dirs),
        *_offered(said),
    ]


def clock(connection: Connection) -> Finding:
    """How the node's clock goes beside this machine's, judged in the moment in which its connection is noticed."""
    skew = connection.time - time.time()
    if abs(skew) <= SKEW_S:
        return Finding("node's clock", Level.OK, f"{connection.node} and this machine agree.")
    found = f"{connection.node} is about {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine."
    return Finding(
        "node's clock", Level.WARNING, found, "Synchronise the clocks (chrony, ntpd): times shown are wrong."
    )


def _client(connection: Connection, client_dirs: list[str]) -> Finding:
    """Whether the client for the node's xpra is here."""
    check, version = "node's xpra", xpra_version(connection.xpra)
    here = [client.version for folder in client_dirs if (client := load_client(Path(folder)))]
    if version in here:
        return Finding(check, Level.OK, f"{connection.node} runs xpra {connection.xpra}; its HTML5 client is here.")
    found = f"{connection.node} runs xpra {connection.xpra}; the HTML5 client of that version is not here."
    advice = (
        "Displays open, but slower, from the node's own files. Install the same xpra here, or name the folder of its "
        "client in c.QConnect.client_dirs."
    )
    return Finding(check, Level.WARNING, found, advice)


OFFERED = {
    "tmux": ("terminals", "Terminal sessions need tmux on the nodes: install it, or offer no app of that kind."),
    "vnc": (
        "VNC desktops",
        "VNC desktops need TigerVNC on the nodes: install its server.",
    ),
    "fonts": ("fonts", "Programs show boxes in place of letters. Install fontconfig and fonts (DejaVu, Liberation)."),
    "glx": ("OpenGL", "Programs that draw in 3D do not start. Install Mesa's libGL and its software driver."),
}
"""Name in the report: what it makes possible, what to do where it is missing."""


def _offered(said: dict[str, str]) -> list[Finding]:
    found = []
    for name, (purpose, advice) in OFFERED.items():
        value = said.get(name)
        if value is None:
            words, level = "the node has no tool that would tell", Level.WARNING
        elif value in ("", "0"):
            words, level = "not there", Level.WARNING
        else:
            words, level = value, Level.OK
        found.append(Finding(f"node's {purpose}", level, f"{words}.", "" if level is Level.OK else advice))
    return found
