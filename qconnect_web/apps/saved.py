"""What a user has asked of each app: the last time, and what they saved by name; kept for all of their browsers.

One file for each app, beside the user's own app files: `~/.config/qconnect/launch/APP.json`, private, replaced whole.
"""

from __future__ import annotations

import fcntl
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import BadRequest, DamagedFile, StorageFailed
from ..private_files import open_folder, read_private, write_private
from .checks import check_name

MOST = 20
"""Settings that are saved of one app."""
MAX_SIZE = 512 * 1024
LOCKED_WITHIN = 2.0
"""Seconds to wait for another server that writes just now."""


@dataclass(frozen=True)
class Settings:
    """What was asked for: what differed from the app's defaults, and the command of an app that takes one."""

    spec: dict[str, Any]
    command: list[str] | None = None
    id: str = ""
    name: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Settings:
        """The settings as `to_json` wrote them; raises ValueError for anything else."""
        if not isinstance(data, dict) or not {"spec"} <= data.keys() <= cls.__dataclass_fields__.keys():
            raise ValueError("It holds no settings")
        spec, command = data["spec"], data.get("command")
        texts = [data.get("id", ""), data.get("name", ""), *(command or [])]
        if not isinstance(spec, dict) or any(not isinstance(text, str) for text in texts):
            raise ValueError("It holds settings that are none")
        return cls(**data)


@dataclass(frozen=True)
class Launches:
    """What is kept of one app."""

    last: Settings | None = None
    saved: tuple[Settings, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"last": self.last and self.last.to_json(), "saved": [settings.to_json() for settings in self.saved]}

    @classmethod
    def from_json(cls, data: Any) -> Launches:
        """The launches as `to_json` wrote them; raises ValueError for anything else."""
        if not isinstance(data, dict) or not isinstance(data.get("saved"), list):
            raise ValueError("It holds no launches")
        last = data.get("last")
        return cls(None if last is None else Settings.from_json(last), tuple(map(Settings.from_json, data["saved"])))


class SavedLaunches:
    """The user's settings of all apps; reads and writes files, so call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, app: str) -> Launches:
        """What is kept of an app; raises DamagedFile, Forbidden and StorageFailed for what cannot be read."""
        with self._open() as folder:
            return Launches() if folder is None else self._read(folder, app)

    def remember(self, app: str, settings: Settings) -> None:
        """Keeps what was asked for the last time, without the name, which is one session's."""
        spec = {key: value for key, value in settings.spec.items() if key != "name"}
        with self._changing() as folder:
            self._write(folder, app, replace(self._read(folder, app), last=Settings(spec, settings.command)))

    def save(self, app: str, settings: Settings) -> Settings:
        """Keeps settings under their name, in the place of those that had it; raises BadRequest when there are many."""
        kept = replace(settings, id=secrets.token_hex(6), name=check_name(settings.name).strip())
        with self._changing() as folder:
            known = self._read(folder, app)
            others = [other for other in known.saved if other.name != kept.name]
            if len(others) >= MOST:
                raise BadRequest(f"There are {MOST} saved settings already. Remove one, then save this one.")
            self._write(folder, app, replace(known, saved=(*others, kept)))
        return kept

    def remove(self, app: str, settings_id: str) -> None:
        """Forgets saved settings; those that are not there are no error."""
        with self._changing() as folder:
            known = self._read(folder, app)
            left = tuple(settings for settings in known.saved if settings.id != settings_id)
            self._write(folder, app, replace(known, saved=left))

    def _read(self, folder: int, app: str) -> Launches:
        content = read_private(folder, f"{app}.json", MAX_SIZE)
        if content is None:
            return Launches()
        try:
            return Launches.from_json(json.loads(content))
        except (ValueError, TypeError, RecursionError):
            path = self._folder / f"{app}.json"
            raise DamagedFile(f"{path} does not hold what was saved there. Mend it, or move it away.") from None

    def _write(self, folder: int, app: str, launches: Launches) -> None:
        content = json.dumps(launches.to_json(), indent=1).encode()
        if len(content) > MAX_SIZE:
            raise BadRequest("The settings of this app are too large to be kept. Remove some that you saved.")
        try:
            write_private(folder, f"{app}.json", content)
        except OSError as error:
            raise self._failed(error) from error

    @contextmanager
    def _changing(self) -> Iterator[int]:
        """The folder, made where it is not there yet, with nobody else writing in it."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._failed(error) from error
        with self._open() as folder:
            if folder is None:
                raise StorageFailed(f"{self._folder} is not there any more. Try again.")
            self._lock(folder)
            yield folder

    @contextmanager
    def _open(self) -> Iterator[int | None]:
        """The folder, None where there is none; raises Forbidden for one that is not private."""
        try:
            status = self._folder.lstat()
        except FileNotFoundError:
            yield None
            return
        except OSError as error:
            raise self._failed(error) from error
        del status
        with open_folder(self._folder) as folder:
            yield folder

    def _lock(self, folder: int) -> None:
        """Takes the folder's lock, which goes with its descriptor; raises StorageFailed where it is held on."""
        until = time.monotonic() + LOCKED_WITHIN
        with suppress(NotImplementedError):
            while not _locked(folder):
                if time.monotonic() > until:
                    raise StorageFailed(f"Another server of yours writes in {self._folder}. Try again.")
                time.sleep(0.02)

    def _failed(self, error: OSError) -> StorageFailed:
        return StorageFailed(
            f"Your settings could not be kept in {self._folder}: {error.strerror}. Make room there, then try again."
        )


def _locked(folder: int) -> bool:
    """Whether the lock is ours now; NotImplementedError on a file system without locks."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        raise NotImplementedError from None
    return True
