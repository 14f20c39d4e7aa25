"""Where the files lie that belong to the package but are not modules: the job scripts and the app files."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def data_folder(name: str, proof: str) -> Path:
    """The folder `name`, known by a file in it: beside the package in its repository, else installed as data files.

    The repository comes first, so that a developer sees what is edited. Raises FileNotFoundError when both lack it.
    """
    from jupyter_core.paths import jupyter_path

    beside = Path(__file__).resolve().parent.parent / name
    candidates = [beside, *(Path(path) for path in jupyter_path("qconnect", name))]
    for candidate in candidates:
        if (candidate / proof).is_file():
            return candidate
    raise FileNotFoundError(f"The {name} of qconnect_web are not installed (looked in {candidates}).")
