"""A Jupyter server whose waits are as long as `$HOME/knobs.py` says: minutes of a batch system in seconds of a test."""

from __future__ import annotations

import runpy
from pathlib import Path

from jupyter_server.serverapp import main

from qconnect_web.schedulers import commands
from qconnect_web.sessions import timings

ROOMS = (timings, commands)


def turn(knobs: dict[str, object]) -> None:
    """Sets each constant in the room that has it; one that no room has is a mistake of the test."""
    for name, value in knobs.items():
        (room,) = [room for room in ROOMS if hasattr(room, name)]
        setattr(room, name, value)


if __name__ == "__main__":
    turn({name: value for name, value in runpy.run_path(str(Path.home() / "knobs.py")).items() if name.isupper()})
    main()
