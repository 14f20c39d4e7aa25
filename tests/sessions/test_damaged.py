"""A bad file harms one session: whatever is in the sessions folder, the others are shown as they are."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qconnect_web.errors import DamagedFile, QConnectError
from qconnect_web.private_files import seal
from qconnect_web.schedulers.commands import Commands
from qconnect_web.schedulers.pbs.torque import TorqueScheduler
from qconnect_web.sessions import timings
from qconnect_web.sessions.clock import now
from qconnect_web.sessions.describe import describe
from qconnect_web.sessions.job_cache import JobCache
from qconnect_web.sessions.job_status import JobStatus, to_json
from qconnect_web.sessions.poll import Poll
from qconnect_web.sessions.store import Store
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Connection, End, Record, SessionState
from tests.support.extent import LONG

QUIET = logging.getLogger("damaged")
QUIET.setLevel(logging.CRITICAL)
NOW = time.time()
RECORD = Record("key1", "xterm", "XTerm", JobSpec("x"), ("xterm",), created=NOW, submitted=NOW, job_id="1.s")
CONNECTION = Connection("run-1", "1.s", "n1", 20001, None, ":1", "3.1.3", "0" * 64, NOW)
END = End("run-1", "1.s", "n1", "app-exit", "The program has ended.", 0, NOW)
ANSWER = {"time": NOW, "asked": [NOW - 1], "words": [to_json(JobStatus(Job("1.s", JobState.RUNNING), 0.0), NOW)]}
WHOLE: dict[str, Any] = {
    "session.json": RECORD.to_json(),
    "connection.json": asdict(CONNECTION),
    "ended.json": asdict(END),
    ".answer.json": ANSWER,
}
FILES = [*WHOLE, "run"]
LARGEST = 64 * 1024
ODD = [
    "NaN", "-Infinity", "1e999", "9" * 400, "9" * 5000, "-1", "0", "1e11", "0.5", "true", "null", "[]", "{}", '""',
    '"\\ud800"', '"\\u0000"', '"\\u202e"', '"-x"', '"::1"', '"../key2"', '"key2"', '"2.s"', '"a_B"', '[{"job":{}}]',
    '"%s"' % ("x" * 70000), "[" * 900 + "]" * 900, "[" * 30000, "[" * 30000 + "]" * 30000,
    '{"a":' * 9000 + "1" + "}" * 9000,
]  # fmt: skip
"""JSON, and what some take for it, that has broken readers of JSON."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=30,
)
TEXT = st.sampled_from(ODD) | JSON.map(json.dumps)


@st.composite
def contents(draw: st.DrawFn, name: str) -> bytes:
    """What one of the files may hold: any JSON, or the right one with a field that is not; sealed or not."""
    line = draw(TEXT)
    if name in WHOLE and draw(st.integers(0, 4)):
        whole = dict(WHOLE[name])
        place = draw(st.sampled_from([whole, *[value for value in whole.values() if isinstance(value, dict)]]))
        if name == ".answer.json" and draw(st.booleans()):
            place = draw(st.sampled_from([whole["words"][0], whole["words"][0]["job"]]))
        field = draw(st.sampled_from([*place, "colour"]))
        line = json.dumps(_with(whole, place, field)).replace('"\\ue000"', line)
    encoded = line.encode(errors="replace")[:LARGEST]
    return encoded if draw(st.integers(0, 9)) == 0 else encoded + b"\n" + _sum(encoded) + b"\n"


def _with(data: Any, place: dict[str, Any], field: str) -> Any:
    """The data with a mark in the one field."""
    if isinstance(data, list):
        return [_with(item, place, field) for item in data]
    if not isinstance(data, dict):
        return data
    changed = {key: _with(value, place, field) for key, value in data.items()}
    return {**changed, field: "\ue000"} if data is place else changed


def _sum(line: bytes) -> bytes:
    return hashlib.sha256(line).hexdigest().encode()


@contextmanager
def world(beside: int) -> Iterator[Store]:
    """A sessions folder with `key1` and so many healthy sessions."""
    with TemporaryDirectory(prefix="qc-damaged-") as place:
        store = Store(Path(place) / "sessions")
        for number in range(1, beside + 2):
            key, job, run = f"key{number}", f"{number}.s", f"run-{number}"
            assert store.create(replace(RECORD, key=key, job_id=job))
            put(store, key, "run", f"{run}\n".encode())
            put(store, key, "connection.json", seal(asdict(replace(CONNECTION, run=run, job=job))))
        yield store


def put(store: Store, key: str, name: str, content: bytes) -> Path:
    path = (store.root if name == ".answer.json" else store.folder(key)) / name
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def looked(store: Store) -> tuple[Poll, dict[str, dict[str, Any]]]:
    """The sessions as a server that has just started tells them: {key: JSON}."""
    cache = JobCache(TorqueScheduler(Commands(), user="nobody"), store, 5)
    poll = Poll(store, cache, QUIET)
    asyncio.run(cache.load())
    asyncio.run(poll.look())
    told = {key: describe(session, "/") for key, session in poll.known.sessions.items()}
    json.dumps(list(told.values()), allow_nan=False).encode("ascii")
    assert cache.budget.due_in(now()) <= 60
    return poll, told


@pytest.mark.parametrize("beside", [0, 3])
@settings(max_examples=2_600 if LONG else 60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), name=st.sampled_from(FILES), old=st.booleans())
def test_whatever_a_file_holds_the_others_are_told_as_they_are(
    beside: int, data: st.DataObject, name: str, old: bool
) -> None:
    content = data.draw(contents(name))
    with world(beside) as store:
        if name == "ended.json":
            (store.folder("key1") / "connection.json").unlink()
        path = put(store, "key1", name, content)
        if old:
            os.utime(path, (NOW - 3600, NOW - 3600))
        _, told = looked(store)
    healthy = [f"key{number}" for number in range(2, beside + 2)]
    assert set(told) <= {"key1", *healthy}
    for key in healthy:
        assert told[key]["id"] == f"{key[3:]}.s"
        if name != ".answer.json":  # which may say anything of any job
            assert (told[key]["state"], told[key]["reason"]) == ("READY", None)
    assert "key1" in told or (name == "session.json" and not old), "what is damaged is shown"


@pytest.mark.parametrize("name", FILES)
def test_what_has_broken_readers_of_json_breaks_nothing(name: str) -> None:
    fields = {"session.json": "created", "connection.json": "time", "ended.json": "exit_status", ".answer.json": "time"}
    with world(1) as store:
        for odd in ODD:
            lines = [odd]
            if name in WHOLE:
                lines.append(json.dumps({**WHOLE[name], fields[name]: "\ue000"}).replace('"\\ue000"', odd))
            for line in lines:
                put(store, "key1", name, line.encode() + b"\n" + _sum(line.encode()) + b"\n")
                assert set(looked(store)[1]) == {"key1", "key2"}


def test_a_question_of_tomorrow_keeps_nobody_from_asking() -> None:
    with world(0) as store:
        put(store, "", ".answer.json", seal({**ANSWER, "asked": [NOW + 86400, NOW - 5]}))
        cache = JobCache(TorqueScheduler(Commands(), user="nobody"), store, 5)
        assert asyncio.run(cache.load())
        assert cache.budget.asked == [NOW - 5]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("session.json", seal({**RECORD.to_json(), "created": "yesterday"}), "created"),
        ("session.json", seal({**RECORD.to_json(), "key": "key2"}), "record of the session key2"),
        ("connection.json", seal({**asdict(CONNECTION), "port": 22}), "port"),
        ("ended.json", seal({**asdict(END), "message": 7}), "message"),
        ("run", b"; reboot\n", "no run"),
    ],
    ids=["created", "another-key", "port", "message", "run"],
)
def test_a_damaged_session_is_told_with_the_path_and_what_is_wrong(name: str, content: bytes, words: str) -> None:
    with world(1) as store:
        path = put(store, "key1", name, content)
        poll, told = looked(store)
        reason = told["key1"]["reason"] or ""
        assert str(path) in reason
        assert words in reason
        assert told["key2"]["state"] == "READY"
        if name == "session.json":
            assert told["key1"]["state"] == "FAILED", "nothing can be asked or opened"
            with pytest.raises(DamagedFile) as refused:
                store.read("key1")
            assert refused.value.message == told["key1"]["reason"]
            assert len(poll.known.live) == 1
        else:
            assert told["key1"]["id"] == "1.s", "its job can still be stopped"


def test_a_session_that_was_damaged_is_itself_again_when_the_file_is() -> None:
    with world(0) as store:
        whole = (store.folder("key1") / "session.json").read_bytes()
        put(store, "key1", "session.json", seal({}))
        poll, told = looked(store)
        assert told["key1"]["state"] == "FAILED"
        put(store, "key1", "session.json", whole)
        asyncio.run(poll.look())
        assert poll.known.sessions["key1"].state is SessionState.READY


def test_a_torn_file_is_damaged_only_when_it_stays_so() -> None:
    with world(0) as store:
        path = put(store, "key1", "session.json", b'{"key":')
        assert store.read("key1") is None
        os.utime(path, (NOW - timings.TORN - 5, NOW - timings.TORN - 5))
        with pytest.raises(DamagedFile, match="to its end"):
            store.read("key1")


def test_an_older_generations_word_does_no_damage() -> None:
    with world(0) as store:
        put(store, "key1", "ended.json", seal({"run": "run-0", "reason": 5}))
        facts = store.read("key1")
        assert facts
        assert (facts.damage, facts.connection) == (None, CONNECTION)


def test_bytes_of_an_old_locale_lose_no_ending() -> None:
    with world(0) as store:
        line = json.dumps({**asdict(END), "message": "M@ller"}).encode().replace(b"@", b"\xfc")
        put(store, "key1", "ended.json", line + b"\n" + _sum(line) + b"\n")
        facts = store.read("key1")
        assert facts
        assert facts.end == replace(END, message="M\ufffdller")


def test_a_file_that_is_a_folder_costs_no_descriptor() -> None:
    with world(0) as store:
        (store.folder("key1") / "ended.json").mkdir(mode=0o700)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(20):
            with suppress(QConnectError, OSError):
                store.read("key1")
        assert len(list(Path("/proc/self/fd").iterdir())) == before
