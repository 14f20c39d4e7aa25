"""The catalogue: the shipped app files, the site's over them, the user's on top.

A file that is wrong never takes others down: it is reported in `problems`, and what lay under it stays.
"""

from __future__ import annotations

import stat
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data_files import data_folder
from ..errors import BadAppFile, BadRequest, UnknownApp
from ..values.app import App
from ..values.job import JobSpec
from . import checks, form
from .form_schema import form as form_schema
from .own_fields import fields_of, rules_of

if TYPE_CHECKING:
    from .app_file import AppFile

MAX_FILES = 200
"""App files that are read of one folder."""
MERGED = ("resources", "form")
"""Keys whose own keys are replaced one by one; of any other key the later file's value stands alone."""
Stamp = tuple[tuple[object, ...], ...]


class Catalogue:
    """The apps of the shipped folder and of these, in this order; a later file changes the app of an earlier one.

    `site` is what the site says of every app's form (`QConnect.form`).

    Files are read again when one of them changed, which a look at the folders finds out at each call (0.3 ms for the
    shipped ones). Safe to call from several threads.
    """

    def __init__(self, dirs: list[Path], site: dict[str, Any] | None = None) -> None:
        self._site = dict(site or {})
        self._shipped = data_folder("apps", "command.yaml")
        self._dirs = [self._shipped, *dirs]
        self._lock = threading.Lock()
        self._stamp: Stamp | None = None
        self._apps: dict[str, App] = {}
        self._problems: list[str] = []

    def apps(self) -> list[App]:
        """All apps that are not hidden, by `order` and title."""
        self._refresh()
        return sorted(self._apps.values(), key=lambda app: (app.order, app.title.casefold(), app.name))

    def get(self, name: str) -> App:
        """The app of that name; raises UnknownApp."""
        self._refresh()
        found = self._apps.get(name)
        if found is None:
            raise UnknownApp(f"There is no app {checks.shown(name)}. {checks.suggest(name, self._apps)}")
        return found

    @property
    def problems(self) -> list[str]:
        """One sentence or two for each app file that is not used: which, why, and what to do."""
        self._refresh()
        return list(self._problems)

    def job_spec(self, app: App, given: dict[str, Any], default_queue: str | None = None) -> JobSpec:
        """The app's defaults with what the user gave over them; raises BadFields naming each key that is wrong."""
        return form.job_spec(app, given, default_queue)

    def describe(self, app: App, *, available: bool, reason: str | None, icon_url: str) -> dict[str, Any]:
        """The app as JSON: `reason` says why it is not available, `form` what may be asked for."""
        return {
            "name": app.name,
            "title": app.title,
            "description": app.description,
            "category": app.category,
            "icon": icon_url,
            "kind": app.kind,
            "available": available,
            "reason": reason,
            "takes_command": app.takes_command,
            "resources": {**app.resources},
            "form": form_schema(app),
        }

    def _refresh(self) -> None:
        with self._lock:
            problems: list[str] = []
            files = [path for folder in self._dirs for path in self._files(folder, problems)]
            folders = [place for folder in self._dirs for place in (folder, folder / "icons")]
            stamp = _stamp([*folders, *files])
            if stamp != self._stamp:
                self._apps = self._read(files, problems)
                self._problems, self._stamp = problems, stamp

    def _files(self, folder: Path, problems: list[str]) -> list[Path]:
        """The app files of a folder by name; one that is not there has none."""
        try:
            mode = folder.stat().st_mode
            names = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as error:
            problems.append(f"{folder} cannot be read: {error.strerror}. Make it a readable folder, or remove it.")
            return []
        if mode & stat.S_IWOTH and folder != self._shipped:
            problems.append(f"{folder} can be changed by everybody on this machine. Protect it: chmod o-w.")
            return []
        found = [path for path in names if path.suffix == ".yaml"]
        problems += [f"{path} is not read. Rename it to {path.stem}.yaml." for path in names if path.suffix == ".yml"]
        if len(found) > MAX_FILES:
            problems.append(f"{folder} has more than {MAX_FILES} app files; the others are not read. Remove some.")
        return found[:MAX_FILES]

    def _read(self, files: list[Path], problems: list[str]) -> dict[str, App]:
        """Every app of these files, later ones over earlier ones; adds to `problems`."""
        from .app_file import read_app_file  # here, because YAML and JSON Schema take a second to load

        merged: dict[str, dict[str, Any]] = {}
        apps: dict[str, App] = {}
        for path in files:
            name = path.stem
            try:
                file = read_app_file(path, trusted=path.parent == self._shipped)
                data = _merge(merged.get(name, {}), file)
                apps[name] = _app(name, data, file, self._shipped, self._site)
            except BadAppFile as error:
                problems.append(error.message)
            else:
                merged[name] = data
        return {name: app for name, app in apps.items() if not merged[name].get("hidden")}


def _stamp(paths: list[Path]) -> Stamp:
    """What changes when one of these files does, or when one is added to or removed from one of these folders."""
    found: list[tuple[object, ...]] = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            found.append((path,))
        else:
            found.append((path, status.st_ino, status.st_mtime_ns, status.st_ctime_ns))
    return tuple(found)


def _merge(earlier: dict[str, Any], file: AppFile) -> dict[str, Any]:
    """The keys of a file over those of the layers below it."""
    data = {**earlier, **file.data}
    if "icon" in file.data:
        data["icon"] = str(file.path.parent / file.data["icon"])
    for key in MERGED:
        data[key] = {**earlier.get(key, {}), **file.data.get(key, {})}
    return data


def _app(name: str, data: dict[str, Any], file: AppFile, shipped: Path, site: dict[str, Any]) -> App:
    """The app of merged values; raises BadAppFile about `file`, the layer that completed them."""
    if "title" not in data:
        raise file.bad((), f"the app {name!r} has no title. Add a line like `title: {name}`.")
    takes = data.get("takes_command", False)
    if takes == bool(data.get("command")):
        words = "has both `command` and `takes_command`" if takes else "has no command"
        raise file.bad((), f"the app {name!r} {words}. Give it `command: [program]`, or `takes_command: true`.")
    command, questions = tuple(data.get("command", ())), fields_of(data, file)
    app = App(
        name=name,
        title=data["title"],
        description=data.get("description", data["title"]),
        category=data.get("category", "Other"),
        icon=Path(data.get("icon", shipped / "icons" / "app.svg")),
        kind=data.get("kind", "gui"),
        command=command,
        setup=data.get("setup", ""),
        requires=tuple(data.get("requires", command[:1])),
        takes_command=takes,
        opengl=data.get("opengl", False),
        grace=data.get("grace", App.grace),
        geometry=data.get("geometry", App.geometry),
        hold_keys=data.get("hold_keys", False),
        window=data.get("window", App.window),
        resources=_resources(data["resources"]),
        form=data["form"],
        site=site,
        fields=questions,
        rules=rules_of(data, questions, file),
        order=data.get("order", 100),
    )
    _check_defaults(app, file)
    return app


def _resources(given: dict[str, Any]) -> dict[str, Any]:
    """The app's resources in the forms that a spec has, with those that every job asks for but memory (see queues)."""
    plain = JobSpec("")
    filled = {"cores": plain.cores, "walltime": plain.walltime, **given}
    checked = {key: checks.CHECKS[key](value) for key, value in filled.items() if key != "native"}
    return {**filled, **checked}


def _check_defaults(app: App, file: AppFile) -> None:
    """Raises BadAppFile when a user who changes nothing, and fills in what must be, would be refused."""
    optional = replace(app, site={}, fields=tuple(replace(field, required=False) for field in app.fields))
    try:
        form.job_spec(optional, {})
    except BadRequest as error:
        raise file.bad(("resources",), f"do not fit `form`. {error.message}") from None
