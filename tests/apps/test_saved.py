"""What a user saved of an app, and asked for the last time: private, whole, and the same for all servers."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from qconnect_web.apps import saved
from qconnect_web.apps.saved import MOST, SavedLaunches, Settings
from qconnect_web.errors import BadRequest, DamagedFile, Forbidden, StorageFailed

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config/launch"


def test_what_one_server_saves_the_next_one_reads(folder: Path) -> None:
    assert SavedLaunches(folder).of("xterm").saved == ()
    kept = SavedLaunches(folder).save("xterm", Settings({"cores": 4, "name": "mine"}, ["a", "b"], name=" big "))
    SavedLaunches(folder).remember("xterm", Settings({"cores": 2, "name": "mine"}))
    found = SavedLaunches(folder).of("xterm")
    assert found.saved == (kept,)
    assert (kept.name, kept.spec, kept.command) == ("big", {"cores": 4, "name": "mine"}, ["a", "b"])
    assert found.last == Settings({"cores": 2})
    SavedLaunches(folder).remove("xterm", kept.id)
    assert SavedLaunches(folder).of("xterm").saved == ()
    assert SavedLaunches(folder).of("xterm").last == Settings({"cores": 2})


def test_the_same_name_is_replaced_and_there_is_an_end_to_them(folder: Path) -> None:
    store = SavedLaunches(folder)
    for cores in range(1, MOST + 1):
        store.save("xterm", Settings({"cores": cores}, name=f"n{cores}"))
    store.save("xterm", Settings({"cores": 99}, name="n1"))
    with pytest.raises(BadRequest, match="20 saved settings"):
        store.save("xterm", Settings({}, name="one more"))
    assert {one.name: one.spec for one in store.of("xterm").saved}["n1"] == {"cores": 99}


def test_nobody_else_can_read_them(folder: Path) -> None:
    with suppress(Forbidden):  # by the next look, if it lies open
        SavedLaunches(folder).save("xterm", Settings({}, name="a"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_folder_that_others_can_use_is_not_used(folder: Path, mode: int) -> None:
    folder.mkdir(parents=True)
    folder.chmod(mode)
    with pytest.raises(Forbidden):
        SavedLaunches(folder).save("xterm", Settings({}, name="a"))
    with pytest.raises(Forbidden):
        SavedLaunches(folder).of("xterm")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"saved": [1]}', '{"saved": [], "last": {"spec": []}}', '{"saved": [{"spec": {}, "x": 1}]}'],
)
def test_a_file_that_holds_something_else_is_named_and_kept(folder: Path, content: str) -> None:
    folder.mkdir(parents=True, mode=0o700)
    path = folder / "xterm.json"
    path.touch(0o600)
    path.write_text(content)
    for use in (
        lambda: SavedLaunches(folder).of("xterm"),
        lambda: SavedLaunches(folder).remember("xterm", Settings({})),
    ):
        with pytest.raises(DamagedFile, match=str(path)):
            use()
    assert path.read_text() == content


def test_two_servers_that_save_at_once_lose_nothing(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: SavedLaunches(folder).save("xterm", Settings({}, name=f"n{n}")), range(16)))
    assert len(SavedLaunches(folder).of("xterm").saved) == 16
    assert [path.name for path in folder.iterdir()] == ["xterm.json"]


def test_a_lock_that_is_held_on_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SavedLaunches(folder).save("xterm", Settings({}, name="a"))
    monkeypatch.setattr(saved, "LOCKED_WITHIN", 0.1)
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(StorageFailed, match="Another server"):
        SavedLaunches(folder).save("xterm", Settings({}, name="b"))
    os.close(held)
    assert len(json.loads((folder / "xterm.json").read_text())["saved"]) == 1
