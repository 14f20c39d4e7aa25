"""What a tile can start, and what it asks before it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Field:
    """One question of an app's own; `kind` says how it is asked and what an answer is (apps/answers).

    `choices` are those of a `choice`, `module` the name whose versions a `module` offers, `min` and `max` the limits of
    a `number`, `value` what a `checkbox` hands on when it is set.
    """

    name: str
    kind: str
    title: str
    help: str = ""
    default: str | int | float | bool | None = None
    required: bool = False
    choices: tuple[str, ...] = ()
    module: str = ""
    min: int | None = None
    max: int | None = None
    value: str = "1"


@dataclass(frozen=True)
class App:
    """What a tile can start.

    `kind` is `gui`, `desktop`, `vnc` or `terminal` (tmux, with a display); `command` is an argument list (empty when
    `takes_command`: the user types it); `setup` are lines of bash that run before it (`module load …`); `requires` are
    programs that must be on PATH; `opengl` asks for GLX; `grace` is how many seconds what a program leaves behind may
    be without a window; `geometry` is a VNC desktop's first size; `hold_keys` leaves keys down for as long as the user
    holds them; `window` is `fill` where the main window takes the whole tab, else `float`. `form` is what users may
    choose of `resources`, and `site` what the site's settings say of that; `fields` are the app's own questions,
    `rules` what one answer means for others (apps/rules).
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
    site: dict[str, Any] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    rules: tuple[dict[str, Any], ...] = ()
    order: int = 100
