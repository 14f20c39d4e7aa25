"""A session's folder as a job leaves it: the record, a run's keys, what it published."""

from __future__ import annotations

import datetime
import secrets
import ssl
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from qconnect_web.private_files import seal
from qconnect_web.relay.pinned_tls import fingerprint_of
from qconnect_web.sessions.store import Store
from qconnect_web.transports.keys import SERVER_NAME
from qconnect_web.values.job import JobSpec
from qconnect_web.values.session import Connection, Record


def make_pair(name: str = SERVER_NAME, usage: Any = ExtendedKeyUsageOID.SERVER_AUTH) -> tuple[bytes, bytes]:
    """A self-signed certificate and its key as a job makes them (EC P-256, no CA, backdated), both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=25))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)


@dataclass
class Run:
    """One session's folder with one run's keys in it."""

    store: Store
    key: str
    job_id: str
    run: str = field(default_factory=lambda: str(uuid.uuid4()))
    fingerprint: str = ""

    @property
    def folder(self) -> Path:
        return self.store.folder(self.key)

    def keys(self) -> Run:
        """New keys of a new run, as the job makes them first of all."""
        self.run = str(uuid.uuid4())
        server, client = make_pair(), make_pair("qconnect-client", ExtendedKeyUsageOID.CLIENT_AUTH)
        for name, (certificate, private) in {"server": server, "client": client}.items():
            write_private(self.folder / f"{name}.pem", certificate)
            write_private(self.folder / f"{name}.key", private)
        self.fingerprint = fingerprint_of(ssl.PEM_cert_to_DER_cert(server[0].decode()))
        write_private(self.folder / "run", self.run.encode() + b"\n")
        return self

    def server_context(self) -> ssl.SSLContext:
        """What xpra is told to do: show the server's key, demand the client's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        context.load_verify_locations(self.folder / "client.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def publish(self, *, port: int | None = None, path: Path | None = None, node: str = "localhost") -> Run:
        """What the job writes last."""
        found = Connection(
            run=self.run,
            job=self.job_id,
            node=node,
            port=port,
            socket=str(path) if path else None,
            display=":17",
            xpra="3.1.3",
            fingerprint=self.fingerprint,
            time=time.time(),
        )
        write_private(self.folder / "connection.json", seal(vars(found)))
        return self


def new_run(store: Store, job_id: str = "17.local") -> Run:
    """A session in a folder of its own, submitted and started."""
    record = Record(
        key=secrets.token_hex(8),
        app="xterm",
        title="XTerm",
        spec=JobSpec(name="xterm"),
        command=("xterm",),
        created=time.time(),
        job_id=job_id,
    )
    assert store.create(record)
    return Run(store, record.key, job_id).keys()
