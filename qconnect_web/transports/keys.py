"""Turns the key files that a job made into a TLS context that can talk to that job and to nobody else.

The files are read through the folder's own descriptor with owner, mode and links checked (`store`), and handed to
OpenSSL from memory, so that what was checked is what is used. Facts about xpra's TLS: it speaks TLS 1.2 or newer, its
certificate is self-signed with `DNS:qconnect-server` as its only name, and it asks for the client's certificate.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from ..errors import Forbidden, IdentityMismatch
from ..private_files import open_folder, read_private
from ..relay.pinned_tls import PinnedContext, same_fingerprint

SERVER_NAME = "qconnect-server"
"""The name in every session's server certificate; the address that is dialled plays no part."""
MAX_PEM = 16 * 1024


def pinned_context(folder: Path, fingerprint: str) -> PinnedContext:
    """The context for one run of one session: trusts `server.pem` alone and shows the client's certificate.

    Blocks on the file system. Raises Forbidden when the folder or a file is not private to us, IdentityMismatch when
    the files are missing, unreadable as keys, or not those of the run that published `fingerprint`.
    """
    server, client, key = _read(folder, "server.pem"), _read(folder, "client.pem"), _read(folder, "client.key")
    certificate = _der(server)
    if not same_fingerprint(certificate, fingerprint):
        raise _mismatch("the certificate in the session's folder is not the one that its job published")
    try:
        return PinnedContext.of(certificate, client + b"\n" + key)
    except ssl.SSLError as error:
        raise _mismatch("the keys in the session's folder do not fit together") from error


def _read(folder: Path, name: str) -> bytes:
    """One of the session's PEM files."""
    try:
        with open_folder(folder) as opened:
            content = read_private(opened, name, MAX_PEM)
    except OSError as error:
        raise Forbidden(
            f"The session's folder {folder} cannot be used ({error.strerror}). It must be a plain folder of yours.",
            reason="not-private",
        ) from error
    if content is None:
        raise _mismatch(f"{name} is missing from the session's folder")
    return content


def _der(pem: bytes) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))
    except ValueError:
        raise _mismatch("server.pem in the session's folder is not a certificate") from None


def _mismatch(what: str) -> IdentityMismatch:
    return IdentityMismatch(
        f"The session's display cannot be trusted: {what}. Nothing was sent. Stop the session and start it again."
    )
