"""The server's environment as other programs may see it."""

from __future__ import annotations

import os
import pwd
import re
from contextlib import suppress

NOT_FOR_JOBS = re.compile(
    r"JUPYTER.*|JPY_.*|.*(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY).*|QCONNECT.*|PBS_.*|SSH_.*|DBUS_.*"
    r"|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_RUNTIME_DIR|XDG_SESSION_.*|TMUX.*|STY|WINDOWID|KERNEL_.*|BASH_ENV|ENV",
    re.IGNORECASE,
)
"""Variables of the server that a job must not see: secrets, and what belongs to another login."""


def job_environment() -> dict[str, str]:
    """The server's environment as a job may see it, with what a login always sets."""
    kept = {name: value for name, value in os.environ.items() if not NOT_FOR_JOBS.fullmatch(name)}
    with suppress(KeyError):  # a container's user may have no account
        user = pwd.getpwuid(os.getuid())
        login = {"HOME": user.pw_dir, "LOGNAME": user.pw_name, "USER": user.pw_name, "SHELL": user.pw_shell}
        return {**login, **kept}
    return kept
