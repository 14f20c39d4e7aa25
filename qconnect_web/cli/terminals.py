"""Attaches the user's terminal to a session's tmux: directly when it runs here, else by `ssh -t`.

The two can end for different reasons with the same exit status, so what runs on the node translates tmux's into codes
of its own; whatever else comes back is ssh's.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import PurePath

from ..transports.local import is_here
from ..values.session import Connection, Session
from .exits import Exit, Stop
from .screen import Screen

DETACHED, ENDED, UNFIT, ABSENT = 70, 71, 72, 73
"""What the node's side exits with: left by the user, tmux is over, tmux refused this terminal, tmux never came."""
SSH_FAILED = 255
NODE_SCRIPT = """i=0
until tmux -S {socket} has-session 2>/dev/null; do
  [ -d {folder} ] || exit {ABSENT}
  [ $((i += 1)) -le 50 ] || exit {ABSENT}
  sleep 0.2
done
tmux {unicode} -S {socket} attach-session
rc=$?
tmux -S {socket} has-session 2>/dev/null || exit {ENDED}
[ $rc = 0 ] && exit {DETACHED}
exit {UNFIT}"""


def refuse_nesting() -> None:
    """Raises Stop inside a tmux: two of them would fight over the same keys."""
    if os.environ.get("TMUX"):
        raise Stop(
            "You are inside tmux already, and one tmux in another is confusing: both listen to the same keys. Detach "
            "first (Ctrl-b, then d) and run qconnect again, or run it in another terminal. If you know what you do: "
            "TMUX= qconnect …",
            Exit.REFUSED,
        )


def node_script(connection: Connection, *, unicode: bool) -> str:
    """What runs on the node: waits up to 10 s for tmux to be there, attaches, and says how that ended."""
    return NODE_SCRIPT.format(
        socket=shlex.quote(connection.terminal or ""),
        folder=shlex.quote(str(PurePath(connection.terminal or "/").parent)),
        unicode="-u" if unicode else "",
        ABSENT=ABSENT,
        DETACHED=DETACHED,
        ENDED=ENDED,
        UNFIT=UNFIT,
    )


def argv(connection: Connection, ssh: Sequence[str], *, unicode: bool) -> list[str]:
    """The command that attaches: `sh -c` here, `ssh -t NODE` elsewhere."""
    script = node_script(connection, unicode=unicode)
    if is_here(connection.node):
        return ["sh", "-c", script]
    return [*ssh, "-t", "--", connection.node, f"exec sh -c {shlex.quote(script)}"]


async def attach(session: Session, ssh: Sequence[str], screen: Screen) -> Exit:
    """Gives the terminal to the session until the user leaves it or it ends; raises Stop when neither happened."""
    connection = session.connection
    assert connection is not None  # READY
    command = argv(connection, ssh, unicode=screen.fancy)
    tool = "tmux" if command[0] == "sh" else command[0]
    if not shutil.which(tool):
        raise Stop(f"`{tool}` is not installed here, and is needed to attach to {connection.node}.", Exit.TOOL_MISSING)
    screen.clear()  # it would still be there when tmux gives the terminal back
    process = await asyncio.create_subprocess_exec(*command, env=_environment(screen))
    try:
        status = await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    return _outcome(session, connection.node, status, screen)


def _environment(screen: Screen) -> dict[str, str]:
    """The user's, with a terminal type that every terminal understands where none is set."""
    found = dict(os.environ)
    found.pop("TMUX", None)
    if not found.get("TERM"):
        found["TERM"] = "vt100"
    return found


def _outcome(session: Session, node: str, status: int, screen: Screen) -> Exit:
    if status == DETACHED:
        screen.note(f"Session {session.id} goes on. Come back with: qconnect {session.id}")
        return Exit.DONE
    if status == ENDED:
        screen.note(f"Session {session.id} has ended.")
        return Exit.DONE
    if status == UNFIT:
        raise Stop(
            f"tmux cannot work in this terminal (TERM={os.environ.get('TERM', '')}). Session {session.id} goes on. "
            f"Try: TERM=xterm qconnect {session.id}",
            Exit.TOOL_MISSING,
        )
    if status == ABSENT:
        raise Stop(
            f"Session {session.id} has no tmux on {node} any more. It is ending, or tmux cannot be run there. "
            f"Look at: qconnect --log {session.id}",
            Exit.DIED,
        )
    why = "ssh could not reach it, or was cut off" if status == SSH_FAILED else f"exit status {status}"
    raise Stop(
        f"The connection to {node} is lost ({why}). Session {session.id} goes on. "
        f"Come back with: qconnect {session.id}",
        Exit.LOST,
    )
