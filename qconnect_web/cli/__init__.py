"""The terminal's front door: `qconnect`, on the same SessionManager, without HTTP."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .options import notes_here, parser

__all__ = ["main", "parser"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `qconnect`; returns its exit status (cli/exits.py), and says on stderr why when it is not 0."""
    options = parser(*notes_here()).parse_args(argv)
    # jsonschema would load a grammar that we have no use for, which takes two seconds; None means: there is none
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # what import's own documentation allows
    import asyncio  # here, as all that is behind it: `-h` and `-v` do without

    from .commands import Command
    from .exits import Exit, exit_of
    from .screen import Screen

    screen = Screen()
    command = Command(options, screen)
    try:
        return int(asyncio.run(command.run()))
    except KeyboardInterrupt:
        words, status = command.interrupted()
        screen.note(words)
        return status
    except BrokenPipeError:
        sys.stderr.close()  # what read our output has gone; Python would complain once more at exit
        return Exit.DONE
    except Exception as error:
        from ..errors import QConnectError

        if not isinstance(error, QConnectError | OSError):
            raise
        screen.note(f"qconnect: {error}")
        return exit_of(error)
