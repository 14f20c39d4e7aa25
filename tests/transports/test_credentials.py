"""The session's keys: read only where nobody else could have touched them, trusted only if they are the run's."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from qconnect_web import private_files
from qconnect_web.errors import Forbidden, IdentityMismatch
from qconnect_web.sessions.store import Store
from qconnect_web.transports import keys
from qconnect_web.transports.keys import pinned_context
from tests.support.session_run import Run, make_pair, new_run, write_private

pytestmark = pytest.mark.unit


@pytest.fixture
def run(tmp_path: Path) -> Run:
    root = Store(tmp_path / "sessions")
    root.prepare()
    return new_run(root)


def test_the_context_trusts_one_certificate_and_shows_the_clients(run: Run) -> None:
    context = pinned_context(run.folder, run.fingerprint)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509"] == 1
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(there, here, server_hostname="qconnect-server")
    server = run.server_context().wrap_bio(here, there, server_side=True)
    for _ in range(4):
        for side in (client, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    assert server.getpeercert()  # it asked for ours, and was content
    assert client.version() == "TLSv1.3"


def swap_for_link(path: Path) -> None:
    """The same content behind a symbolic link."""
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def swap_for_hard_link(path: Path) -> None:
    os.link(path, path.with_suffix(".other"))


def swap_for_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


TRICKS: dict[str, Callable[[Path], None]] = {
    "readable by the group": lambda path: path.chmod(0o640),
    "writable by others": lambda path: path.chmod(0o602),
    "a symbolic link": swap_for_link,
    "a second name": swap_for_hard_link,
    "a fifo": swap_for_fifo,
    "a folder": lambda path: (path.unlink(), path.mkdir(0o700))[1],
}


@pytest.mark.parametrize("name", ["server.pem", "client.pem", "client.key"])
@pytest.mark.parametrize("trick", TRICKS)
def test_a_file_that_others_could_have_touched_is_refused(run: Run, name: str, trick: str) -> None:
    TRICKS[trick](run.folder / name)
    with pytest.raises(Forbidden) as refused:
        pinned_context(run.folder, run.fingerprint)
    assert refused.value.reason == "not-private"


def test_a_folder_that_others_can_use_is_refused(run: Run) -> None:
    run.folder.chmod(0o750)
    with pytest.raises(Forbidden):
        pinned_context(run.folder, run.fingerprint)


def test_a_folder_behind_a_link_is_refused(run: Run, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(run.folder)
    with pytest.raises(Forbidden) as refused:
        pinned_context(link, run.fingerprint)
    assert "plain folder" in refused.value.message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_somebody_elses_file_is_refused(run: Run) -> None:
    os.chown(run.folder / "client.key", 12345, -1)
    with pytest.raises(Forbidden):
        pinned_context(run.folder, run.fingerprint)


def test_an_open_file_would_be_taken_without_the_check(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (run.folder / "client.key").chmod(0o666)
    monkeypatch.setattr(private_files, "check_private", lambda status, path: None)
    assert pinned_context(run.folder, run.fingerprint)


@pytest.mark.parametrize("name", ["server.pem", "client.pem", "client.key"])
def test_a_missing_key_is_a_mismatch_that_says_what_to_do(run: Run, name: str) -> None:
    (run.folder / name).unlink()
    with pytest.raises(IdentityMismatch) as refused:
        pinned_context(run.folder, run.fingerprint)
    assert name in refused.value.message
    assert "start it again" in refused.value.message


def test_keys_of_another_run_are_a_mismatch(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    older = run.fingerprint
    run.keys()
    with pytest.raises(IdentityMismatch):
        pinned_context(run.folder, older)
    monkeypatch.setattr(keys, "same_fingerprint", lambda certificate, fingerprint: True)
    assert pinned_context(run.folder, older)  # the comparison is what refused them


@pytest.mark.parametrize("content", [b"", b"no certificate", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\n%%%%\n"])
@pytest.mark.parametrize("name", ["server.pem", "client.pem", "client.key"])
def test_what_is_no_key_is_a_mismatch(run: Run, name: str, content: bytes) -> None:
    write_private(run.folder / name, content)
    with pytest.raises(IdentityMismatch):
        pinned_context(run.folder, run.fingerprint)


def test_a_second_certificate_in_the_file_is_not_trusted(run: Run) -> None:
    other, _ = make_pair()
    path = run.folder / "server.pem"
    write_private(path, path.read_bytes() + other)
    with suppress(IdentityMismatch):  # or the first one alone is taken, as the job published it
        assert pinned_context(run.folder, run.fingerprint).cert_store_stats()["x509"] == 1


def test_a_key_that_does_not_fit_its_certificate_is_a_mismatch(run: Run) -> None:
    write_private(run.folder / "client.key", make_pair()[1])
    with pytest.raises(IdentityMismatch):
        pinned_context(run.folder, run.fingerprint)


def test_an_encrypted_key_does_not_ask_for_a_password(run: Run) -> None:
    key = serialization.load_pem_private_key((run.folder / "client.key").read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    write_private(run.folder / "client.key", locked)
    with pytest.raises(IdentityMismatch):
        pinned_context(run.folder, run.fingerprint)
