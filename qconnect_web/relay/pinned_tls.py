"""A TLS context that trusts one certificate alone, and what it takes to make the same in another process."""

from __future__ import annotations

import hashlib
import hmac
import os
import ssl


def fingerprint_of(certificate: bytes) -> str:
    """The SHA-256 of a DER certificate, in hex."""
    return hashlib.sha256(certificate).hexdigest()


def same_fingerprint(certificate: bytes | None, fingerprint: str) -> bool:
    """Whether a DER certificate, as a peer showed it, has this fingerprint."""
    return certificate is not None and hmac.compare_digest(fingerprint_of(certificate), fingerprint)


class PinnedContext(ssl.SSLContext):
    """Trusts `server` (DER) and nothing else, shows `client` (PEM, certificate and key)."""

    server: bytes
    client: bytes

    @classmethod
    def of(cls, server: bytes, client: bytes) -> PinnedContext:
        """The context made of these; raises ssl.SSLError when the client's key does not fit."""
        context = cls(ssl.PROTOCOL_TLS_CLIENT)  # checks the chain and the name unless told otherwise
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(cadata=server)
        context._load_from_memory(client)
        context.server, context.client = server, client
        return context

    def _load_from_memory(self, pem: bytes) -> None:
        """OpenSSL gets a path that is memory: by a file's path, the file could be swapped after its check."""
        memory = os.memfd_create("qconnect", os.MFD_CLOEXEC)
        try:
            os.write(memory, pem)
            # An empty password answers at once for an encrypted key, where OpenSSL would ask on the terminal.
            self.load_cert_chain(f"/proc/self/fd/{memory}", password="")
        finally:
            os.close(memory)
