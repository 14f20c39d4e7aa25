#!/usr/bin/python3 -IS
"""TORQUE's commands as programs: each reads what it needs here, as its user, and asks the server for the rest.

One file under eight names (`bin/`); texts and exit codes are those of the recordings of TORQUE 6.1.3.h5.
"""

from __future__ import annotations

import getopt
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.cluster.torque import qsub
from tests.cluster.torque.words import ABOUT, QDEL_USAGE, VERSION

SPOOL = Path("/var/spool/torque")
OPTIONS = {
    "qstat": "acCeE:filn1pqrstu:xGMQRBW:",
    "qdel": "acm:pW:t:b:",
    "qalter": "a:A:c:e:h:j:k:l:m:M:nN:o:p:q:r:S:t:u:v:W:x:",
    "qhold": "h:t:",
    "qrls": "h:t:",
    "qrerun": "fm:",
    "pbsnodes": "acdfilmnopqrsx",
    "qmgr": "c:",
}
ERRNO = {111: "Connection refused", 15096: "Unable to get connection to socket", 15137: "could not connect to trqauthd"}
BAD_HOST = "Access from host not allowed, or unknown host"


class Unreachable(Exception):
    """No answer: what is printed on each try, the error number and its text."""

    def __init__(self, lines: str, number: int, text: str) -> None:
        self.lines, self.number, self.text = lines, number, text


def main() -> NoReturn:
    program, argv = Path(sys.argv[0]).name, sys.argv[1:]
    if argv[:1] == ["--version"]:
        finish(0, VERSION)
    if argv[:1] == ["--about"]:
        finish(0, err=ABOUT.format(server=server_name()))
    if program == "qsub":
        request = qsub.request(argv)
    else:
        try:
            options, operands = getopt.gnu_getopt(argv, OPTIONS[program])
        except getopt.GetoptError as error:
            finish(2, err=f"{program}: invalid option -- '{error.opt}'\n")
        request = {"options": options, "operands": operands}
        if program == "qdel" and not operands:
            finish(2, err=QDEL_USAGE)
    request |= {"program": program, "host": socket.gethostname(), "cwd": str(Path.cwd())}
    answer = asked(program, request)
    finish(answer["rc"], answer["out"], answer["err"])


def finish(rc: int, out: str = "", err: str = "") -> NoReturn:
    """Says it and leaves; exit codes are PBSE numbers modulo 256."""
    sys.stdout.write(out)
    sys.stderr.write(err)
    sys.exit(rc % 256)


def server_name() -> str:
    return (SPOOL / "server_name").read_text().strip()


def asked(program: str, request: dict[str, object]) -> dict[str, object]:
    """The server's answer; qstat tries three times before it gives up."""
    server = os.environ.get("PBS_DEFAULT") or os.environ.get("PBS_SERVER") or server_name()
    failure = None
    for _ in range(3 if program == "qstat" else 1):
        try:
            return exchange(server, request)
        except Unreachable as unreachable:
            failure = unreachable
            sys.stderr.write(failure.lines)
            if failure.number == 15096:
                break
    assert failure
    if program == "pbsnodes":
        finish(1, err=f"pbsnodes: cannot connect to server {server}, error={failure.number} ({failure.text})\n")
    text = f"{program}: cannot connect to server {server} (errno={failure.number}) {failure.text}\n"
    if program == "qstat":
        text += f"qstat: Error ({failure.number} - {failure.text}) \n"
    finish(failure.number, err=text)


def exchange(server: str, request: dict[str, object]) -> dict[str, object]:
    """One request; raises Unreachable."""
    try:
        address = socket.gethostbyname(server)
    except OSError:
        lines = f"Can not resolve name for server {server}. (rc = -1 - )\n"
        raise Unreachable(f"{lines}Cannot resolve specified server host '{server}'.\n", 15010, BAD_HOST) from None
    mute = f"Unable to communicate with {server}({address})\n"
    patience = float(os.environ.get("PBSAPITIMEOUT") or 300)
    until = time.monotonic() + patience
    with dialled(SPOOL / "trqauthd", patience) as authorised:
        if authorised is None:
            first = "Error in connection to trqauthd (15137)-[could not connect to unix socket /tmp/trqauthd-unix: 111]"
            raise Unreachable(f"{first}\n\n{mute}Communication failure.\n", 15137, ERRNO[15137])
    with dialled(SPOOL / "pbs_server", patience) as connection:
        if connection is None or server.partition(".")[0] != server_name():
            raise Unreachable(f"\n{mute}Cannot connect to specified server host '{server}'.\n", 111, ERRNO[111])
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                connection.settimeout(max(0.01, until - time.monotonic()))
                if not (part := connection.recv(1 << 16)):
                    raise Unreachable(f"\n{mute}Cannot connect to specified server host '{server}'.\n", 111, ERRNO[111])
                answer += part
        except TimeoutError:
            raise Unreachable(mute, 15096, ERRNO[15096]) from None
    return dict(json.loads(answer))


class dialled:
    """A connection to a daemon's socket, or None where nobody listens."""

    def __init__(self, path: Path, patience: float) -> None:
        self._path, self._patience = path, patience

    def __enter__(self) -> socket.socket | None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(self._patience)
        try:
            self._socket.connect(str(self._path))
        except (ConnectionError, FileNotFoundError):
            return None
        return self._socket

    def __exit__(self, *_: object) -> None:
        self._socket.close()


if __name__ == "__main__":
    main()
