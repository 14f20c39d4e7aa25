"""What a tile can start."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class App:
    """What a tile can start.

    `kind` is `gui`, `desktop`, `vnc` or `terminal` (tmux, with a display); `command` is an argument list (empty when
    `takes_command`: the user types it); `setup` are lines of bash that run before it (`module load …`); `requires` are
    programs that must be on PATH; `opengl` asks for GLX; `grace` is how many seconds what a program leaves behind may
    be without a window; `geometry` is a VNC desktop's first size; `hold_keys` leaves keys down for as long as the user
    holds them; `window` is `fill` where the main window takes the whole tab, else `float`.
    """

    name: str
    title: str
    description: str
    category: str
    icon: Path
    kind: str
    command: tuple[str, ...]
    setup: str = ""
    requires: tuple[str, ...] = ()
    takes_command: bool = False
    opengl: bool = False
    grace: int = 10
    geometry: str = "1280x1024"
    hold_keys: bool = False
    window: str = "float"
    resources: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)
    order: int = 100
