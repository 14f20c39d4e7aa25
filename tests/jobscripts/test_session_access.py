"""Who gets into a session on real xpra, and who can read what it writes: its own user with its own keys alone."""

from __future__ import annotations

import socket
import ssl
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from qconnect_web.values.session import Connection
from tests.support.deadline import eventually
from tests.support.ports import own_port
from tests.support.script_run import SYSTEM_PATH, ScriptRun, app, ask, client_context


@pytest.fixture
def run(tmp_path: Path) -> ScriptRun:
    return ScriptRun(tmp_path)


def write_pair(folder: Path, pair: trustme.LeafCert) -> Path:
    """A certificate and its key as `stranger.pem` and `stranger.key`."""
    certificate = folder / "stranger.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in pair.cert_chain_pems))
    certificate.with_suffix(".key").write_bytes(pair.private_key_pem.bytes())
    return certificate


def test_only_the_sessions_own_key_gets_in(run: ScriptRun, tmp_path: Path) -> None:
    authority = trustme.CA()
    stranger = write_pair(tmp_path, authority.issue_cert("somebody"))
    run.by_hand(app())
    # what the machine trusts: hole 1 would let in whoever has a certificate from there
    (tmp_path / "system.pem").write_bytes(authority.cert_pem.bytes())
    run.env["SSL_CERT_FILE"] = str(tmp_path / "system.pem")
    with run:
        port = run.ready()["port"]
        assert ask(port, client_context(run.folder, run.folder / "client.pem")).startswith(b"HTTP/1.0 200")
        assert ask(port, client_context(run.folder, None)) == b""
        assert ask(port, client_context(run.folder, stranger)) == b""
        assert not ask(port, None).startswith((b"HTTP/1.0 200", b"HTTP/1.0 101"))
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            plain.sendall(b"P\x00\x00\x00\x00\x00\x00\x0bd5:hello0:e")
            plain.settimeout(10)
            assert b"hello" not in plain.recv(4096)


def test_without_the_narrowed_authorities_a_foreign_certificate_would_get_in(run: ScriptRun, tmp_path: Path) -> None:
    authority = trustme.CA()
    stranger = write_pair(tmp_path, authority.issue_cert("somebody"))
    (tmp_path / "system.pem").write_bytes(authority.cert_pem.bytes())
    mutant = run.by_hand(app()).change(
        'SSL_CERT_FILE="$qc_s/client.pem" SSL_CERT_DIR=/nonexistent', f"SSL_CERT_FILE={tmp_path}/system.pem"
    )
    with mutant:
        assert ask(run.ready()["port"], client_context(run.folder, stranger)).startswith(b"HTTP/1.0 200")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("--ssl-client-verify-mode=required", "--ssl-client-verify-mode=none"),
        ("--ssl-client-verify-mode=required", "--ssl-client-verify-mode=optional"),
        ('"--bind-ssl=$address:$qc_port"', '"--bind-tcp=$address:$qc_port"'),
    ],
)
def test_an_xpra_that_lets_anybody_in_is_closed_again(run: ScriptRun, old: str, new: str) -> None:
    with run.by_hand(app()).change(old, new):
        end = run.ended()
        assert end["reason"] == "open-without-certificate"
        assert "could be opened without the session's key" in end["message"]
        assert not run.text("connection.json")
        assert run.exit_status() == 70
        assert not run.living()


def test_it_asks_with_openssl_where_curl_is_missing(run: ScriptRun, tmp_path: Path) -> None:
    with run.by_hand(app()).change("&& qc_curl=$qc_found", "&& qc_curl="):
        assert "probes: with our keys 200, without and plain 000 400 000 400" in (run.ready() and run.text("job.log"))
    other = ScriptRun(tmp_path).by_hand(app()).change("&& qc_curl=$qc_found", "&& qc_curl=")
    with other.change("--ssl-client-verify-mode=required", "--ssl-client-verify-mode=none"):
        assert other.ended()["reason"] == "open-without-certificate"


def test_a_socket_session_listens_on_no_port(run: ScriptRun) -> None:
    with run.tagged(app(), bind="socket"):
        connection = Connection.from_json(run.ready())
        assert connection.port is None
        assert connection.socket
        assert stat.S_IMODE(Path(connection.socket).stat().st_mode) == 0o600
        assert stat.S_IMODE(Path(connection.socket).parent.stat().st_mode) == 0o700
        assert run.listening() == []
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(10)
            plain.connect(connection.socket)
            plain.sendall(b"GET /Status HTTP/1.0\r\n\r\n")
            assert plain.recv(100).startswith(b"HTTP/1.0 200")


def test_a_socket_that_others_could_open_is_closed_again(run: ScriptRun) -> None:
    with run.tagged(app(), bind="socket").change("--socket-permissions=600", "--socket-permissions=666"):
        assert run.ended()["reason"] == "open-without-certificate"


def test_a_tls_session_listens_on_its_port_only(run: ScriptRun) -> None:
    with run.by_hand(app()):
        port = run.ready()["port"]
        assert run.listening() == [port]


def open_to_others(run: ScriptRun) -> list[str]:
    """The files and folders of a session on which others than its user have any right."""
    assert run.runtime
    found = [path for root in (run.folder, run.runtime) for path in [root, *root.rglob("*")]]
    return [f"{path} {path.lstat().st_mode:o}" for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_everything_is_private_whatever_the_umask(run: ScriptRun, umask: int) -> None:
    run.umask = umask
    command = ("bash", "-c", "umask >umask; echo said; exec sleep 60")
    with run.by_hand(app(*command)):
        run.ready()
        assert open_to_others(run) == []
        said = eventually(lambda: (run.home / "umask").exists() and (run.home / "umask").read_text(), what="the umask")
        assert int(said, 8) == umask


def test_without_our_umask_files_would_be_open_to_others(run: ScriptRun) -> None:
    run.umask = 0o000
    with run.tagged(app()).change("umask 077", "umask 022"):
        run.ready()
        assert open_to_others(run) != []


def test_the_certificates_are_what_every_tls_library_takes(run: ScriptRun) -> None:
    with run.by_hand(app()):
        connection = run.ready()
        server = x509.load_pem_x509_certificate((run.folder / "server.pem").read_bytes())
        assert server.fingerprint(hashes.SHA256()).hex() == connection["fingerprint"]
        begun = connection["time"] - server.not_valid_before_utc.timestamp()
        assert 25 * 3600 <= begun < 25 * 3600 + 60
        assert server.not_valid_after_utc.timestamp() > connection["time"] + 8 * 3600
        names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["qconnect-server"]
        assert server.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        context = client_context(run.folder, run.folder / "client.pem")
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        assert ask(connection["port"], context)


def secrets_told(run: ScriptRun) -> list[bytes]:
    """Those of the session's secrets that stand in arguments, environments, logs, records or the script."""
    assert run.runtime
    cookie = (run.runtime / "Xauthority").read_bytes()[-16:]
    secrets = [cookie, cookie.hex().encode()]
    for name in ("server.key", "client.key"):
        secrets += [line for line in (run.folder / name).read_bytes().splitlines() if not line.startswith(b"-----")]
    places = [Path("/proc") / str(pid) / name for pid in run.look() for name in ("environ", "cmdline")]
    places += [run.script, *run.folder.glob("*.log"), *run.folder.glob("*.json")]
    text = b""
    for place in places:
        with suppress(FileNotFoundError, ProcessLookupError):  # a process may have ended meanwhile
            text += place.read_bytes()
    assert b"DISPLAY" in text
    return [secret for secret in secrets if secret in text]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_no_secret_is_in_arguments_environments_or_the_script(run: ScriptRun, umask: int) -> None:
    run.umask = umask
    with run.by_hand(app()):
        run.ready()
        assert secrets_told(run) == []


KEY = '"$(<"$qc_s/client.key")"'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"${qc_xpra_world[@]}" DISPLAY=', f'"${{qc_xpra_world[@]}}" KEY={KEY} DISPLAY='),
        ('qc_log "open: display', f'(exec -a {KEY} sleep 60) & qc_log "open: display'),
        ('qc_log "open: display', f'qc_log {KEY}; qc_log "open: display'),
    ],
    ids=["environment", "arguments", "log"],
)
def test_a_secret_that_was_told_would_be_found(run: ScriptRun, old: str, new: str) -> None:
    with run.by_hand(app()).change(old, new):
        run.ready()
        assert eventually(lambda: secrets_told(run), 10, "the secret that this script tells")


def test_the_display_belongs_to_whoever_has_the_cookie(run: ScriptRun) -> None:
    with run.by_hand(app()):
        display = run.ready()["display"]
        known = {"PATH": SYSTEM_PATH, "DISPLAY": display}
        assert subprocess.run(["xdpyinfo"], env=known, capture_output=True, timeout=20).returncode != 0
        known["XAUTHORITY"] = f"{run.runtime}/Xauthority"
        done = subprocess.run(["xdpyinfo"], env=known, capture_output=True, timeout=20, text=True)
        assert done.returncode == 0
        assert "GLX" not in done.stdout


def test_the_tag_of_another_session_is_not_obeyed(run: ScriptRun, tmp_path: Path) -> None:
    outer = run.home / ".local/share/qconnect/sessions/outer"
    outer.mkdir(mode=0o700, parents=True)
    run.env["QCONNECT_SESSION"] = "outer"
    with run.by_hand(app()):
        run.ready()
        assert run.folder.name.startswith("job-")
        assert not list(outer.iterdir())


@pytest.mark.parametrize("wrong", ["missing", "open", "link"])
def test_a_session_folder_that_is_not_private_is_refused(run: ScriptRun, tmp_path: Path, wrong: str) -> None:
    run.tagged(app())
    if wrong == "open":
        run.folder.chmod(0o755)
    else:
        run.folder.rmdir()
    if wrong == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        run.folder.symlink_to(tmp_path / "elsewhere")
    with run:
        assert run.exit_status() == 70
    assert "session folder" in run.output
    assert not [path for path in (tmp_path / "elsewhere", run.folder) if path.exists() and list(path.iterdir())]


def test_a_personal_xpra_configuration_opens_nothing(run: ScriptRun) -> None:
    port = own_port()
    for folder in (".xpra", ".config/xpra"):
        (run.home / folder).mkdir(parents=True)
        (run.home / folder / "xpra.conf").write_text(f"bind-tcp = 0.0.0.0:{port}\nstart = xterm\n")
    run.env["XPRA_USER_CONF_DIRS"] = str(run.home / ".xpra")
    with run.by_hand(app()):
        opened = run.ready()["port"]
        assert run.listening() == [opened]
