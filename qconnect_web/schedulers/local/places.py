"""Where the `local` scheduler keeps its jobs: `<state>/<host>/jobs` and `done`, on every level ours alone.

Each level is opened inside the one above it, without following links, and all that is done goes by these descriptors:
what somebody puts in the place of a folder meanwhile is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import Forbidden
from ...private_files import check_file, open_folder


@dataclass(frozen=True)
class Places:
    """The open folders, by paths that mean them and nothing else."""

    root: Path
    jobs: Path
    done: Path

    def folders(self) -> list[Path]:
        """The folders of all jobs, and whatever else lies among them."""
        return [*self.jobs.iterdir(), *self.done.iterdir()]


def make(root: Path) -> None:
    """Makes what is missing of `<state>/<host>`, private."""
    for missing in reversed([path for path in (root, *root.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    for path in (root / "jobs", root / "done"):
        path.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def opened(root: Path) -> Iterator[Places]:
    """The places below `<state>/<host>`; raises Forbidden, which names the path, and FileNotFoundError."""
    with ExitStack() as stack:
        host = _open(stack, root, _open(stack, root.parent))
        jobs, done = _open(stack, root / "jobs", host), _open(stack, root / "done", host)
        yield Places(*(Path(f"/proc/self/fd/{found}") for found in (host, jobs, done)))


def _open(stack: ExitStack, path: Path, inside: int | None = None) -> int:
    try:
        return stack.enter_context(open_folder(path, inside))
    except NotADirectoryError:
        raise Forbidden(f"{path} is not a folder. A link will not do; move it away.", reason="not-private") from None


def check_job(folder: Path) -> None:
    """Raises Forbidden when a job's folder, or what it runs, could be anybody else's."""
    with open_folder(folder):
        for name in ("job.json", "script"):
            check_file((folder / name).lstat(), folder / name)
