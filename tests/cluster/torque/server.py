#!/usr/bin/python3 -IS
"""pbs_server (and, with the argument `trqauthd`, the daemon that vouches for users): the doors for the commands.

One request per connection; who asks is what the kernel says of the other end.
"""

from __future__ import annotations

import json
import os
import pwd
import socket
import socketserver
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.cluster.torque.replies import answer
from tests.cluster.torque.state import SPOOL, Server


class Handler(socketserver.StreamRequestHandler):
    """One request."""

    server: Door

    def handle(self) -> None:
        raw = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        uid = struct.unpack("3i", raw)[1]
        line = self.rfile.readline()
        if line:
            told = answer(self.server.state, pwd.getpwuid(uid).pw_name, json.loads(line))
            self.wfile.write(json.dumps(told).encode() + b"\n")


class Vouching(socketserver.BaseRequestHandler):
    """trqauthd: being there is all that it does here."""

    def handle(self) -> None:
        self.request.close()


class Door(socketserver.ThreadingUnixStreamServer):
    """A socket that every user may open."""

    daemon_threads = True
    request_queue_size = 128
    state: Server

    def __init__(self, path: Path, handler: type[socketserver.BaseRequestHandler]) -> None:
        path.unlink(missing_ok=True)
        super().__init__(str(path), handler)
        path.chmod(0o777)


if __name__ == "__main__":
    os.umask(0o022)
    if sys.argv[1:] == ["trqauthd"]:
        Door(SPOOL / "trqauthd", Vouching).serve_forever()
    door = Door(SPOOL / "pbs_server", Handler)
    door.state = Server()
    door.serve_forever()
