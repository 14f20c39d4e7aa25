"""The session folders: private, whole or nothing, and only of the current run."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qconnect_web.errors import Forbidden, UnknownSession
from qconnect_web.private_files import open_folder, read_private, seal, unseal
from qconnect_web.sessions.store import Store
from qconnect_web.values.job import JobSpec
from qconnect_web.values.session import Connection, End, Record

pytestmark = pytest.mark.unit
RECORD = Record("key1", "xterm", "XTerm", JobSpec("x"), ("xterm",), created=1.0, job_id="1.local")
CONNECTION = Connection("run-2", "1.local", "n1", 20001, None, ":1", "3.1.3", "0" * 64, 5.0)
END = End("run-2", "1.local", "n1", "app-exit", "The program has ended.", 0, 6.0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "sessions")
    store.prepare()
    store.create(RECORD)
    return store


def put(store: Store, name: str, content: bytes, mode: int = 0o600) -> Path:
    path = store.folder("key1") / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


def job_wrote(store: Store, run: str = "run-2") -> None:
    put(store, "run", f"{run}\n".encode())
    put(store, "connection.json", seal(CONNECTION.__dict__))
    put(store, "ended.json", seal(END.__dict__))


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_folders_and_files_are_private_under_any_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = Store(tmp_path / "a" / "sessions")
        store.prepare()
        store.create(RECORD)
        store.write_script("key1", "#!/bin/bash\n")
        store.write_answer({"time": 1, "jobs": []})
    finally:
        os.umask(before)
    for path in [tmp_path / "a", store.root, *store.root.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_taken_key_is_left_alone(store: Store) -> None:
    assert not store.create(replace(RECORD, title="other"))
    facts = store.read("key1")
    assert facts
    assert facts.record == RECORD


def test_what_the_job_wrote_is_read(store: Store) -> None:
    job_wrote(store)
    facts = store.read("key1")
    assert facts
    assert (facts.run, facts.connection, facts.end) == ("run-2", CONNECTION, END)


def test_an_older_generations_word_counts_for_nothing(store: Store) -> None:
    job_wrote(store, run="run-3")
    facts = store.read("key1")
    assert facts
    assert facts.connection is None
    assert facts.end is None


def test_another_jobs_word_counts_for_nothing(store: Store) -> None:
    job_wrote(store)
    put(store, "connection.json", seal(replace(CONNECTION, job="2.local").__dict__))
    facts = store.read("key1")
    assert facts
    assert facts.connection is None


def test_without_a_run_nothing_is_believed(store: Store) -> None:
    job_wrote(store)
    (store.folder("key1") / "run").unlink()
    facts = store.read("key1")
    assert facts
    assert facts.connection is None


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), noise=st.binary(max_size=6))
def test_a_torn_file_is_not_an_answer(store: Store, cut: int, noise: bytes) -> None:
    whole = seal(CONNECTION.__dict__)
    torn = whole[:cut] + noise
    put(store, "run", b"run-2\n")
    put(store, "connection.json", torn)
    facts = store.read("key1")
    assert facts
    assert facts.connection in (None, CONNECTION)
    assert (facts.connection == CONNECTION) == (unseal(torn) == CONNECTION.__dict__)


def test_a_torn_record_is_no_session_yet_and_is_not_touched(store: Store) -> None:
    path = put(store, "session.json", b'{"version":1,')
    assert store.read("key1") is None
    assert path.read_bytes() == b'{"version":1,'


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(store: Store, mode: int) -> None:
    job_wrote(store)
    put(store, "connection.json", seal(CONNECTION.__dict__), mode)
    with pytest.raises(Forbidden, match="chmod"):
        store.read("key1")


def test_a_folder_that_others_can_enter_is_refused(store: Store) -> None:
    store.folder("key1").chmod(0o750)
    with pytest.raises(Forbidden, match="chmod"):
        store.read("key1")


def test_a_symlink_is_not_followed(store: Store, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(seal(CONNECTION.__dict__))
    elsewhere.chmod(0o600)
    put(store, "run", b"run-2\n")
    (store.folder("key1") / "connection.json").symlink_to(elsewhere)
    with pytest.raises(Forbidden):
        store.read("key1")


def test_a_hard_link_is_refused(store: Store, tmp_path: Path) -> None:
    job_wrote(store)
    os.link(store.folder("key1") / "run", tmp_path / "second-name")
    with pytest.raises(Forbidden, match="plain file"):
        store.read("key1")


def test_a_fifo_does_not_hang_the_reader(store: Store) -> None:
    os.mkfifo(store.folder("key1") / "run", 0o600)
    with pytest.raises(Forbidden, match="plain file"):
        store.read("key1")


def test_a_symlinked_session_folder_is_refused(store: Store, tmp_path: Path) -> None:
    (store.root / "key2").symlink_to(store.folder("key1"))
    with pytest.raises(OSError, match=r"Not a directory|symbolic"), open_folder(store.root / "key2"):
        pass


@pytest.mark.parametrize("key", ["..", "../key1", "", "a/b", ".hidden", "x" * 200, "a\0b"])
def test_what_cannot_be_a_key_is_unknown(store: Store, key: str) -> None:
    with pytest.raises(UnknownSession):
        store.folder(key)


def test_a_folder_that_is_still_written_to_is_forgotten_all_the_same(store: Store) -> None:
    job_wrote(store)
    stop = threading.Event()

    def last_words() -> None:
        path = store.folder("key1") / "ended.json"
        while not stop.is_set():
            with suppress(OSError):
                path.with_name(".ended").write_bytes(b"x")
                path.with_name(".ended").rename(path)

    writer = threading.Thread(target=last_words)
    writer.start()
    try:
        store.remove("key1")
    finally:
        stop.set()
        writer.join()
    assert store.list_keys() == []
    store.prepare()
    assert list(store.root.iterdir()) == []
    store.remove("key1")  # a second time is harmless


def test_a_failed_write_leaves_the_old_content(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        store.write(replace(RECORD, title="new"))
    facts = store.read("key1")
    assert facts
    assert facts.record.title == "XTerm"
    assert [path.name for path in store.folder("key1").iterdir()] == ["session.json"]


def test_the_end_of_a_long_log_is_read(store: Store) -> None:
    put(store, "app.log", b"x" * 5000 + b"the end")
    assert (store.text("key1", "app.log", 100) or "").endswith("xthe end")
    assert len(store.text("key1", "app.log", 100) or "") == 100


def test_a_sealed_line_has_its_checksum(store: Store) -> None:
    with open_folder(store.folder("key1")) as folder:
        content = read_private(folder, "session.json") or b""
    line, checksum, rest = content.split(b"\n")
    assert json.loads(line)["key"] == "key1"
    assert len(checksum) == 64
    assert rest == b""
