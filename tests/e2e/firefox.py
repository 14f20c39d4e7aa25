"""Debian's Firefox with a window on a screen, told what to do by Marionette, its own protocol for that."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.deadline import eventually
from tests.support.ports import own_port

PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.events.testing.asyncClipboard": True,  # or each look at the clipboard asks
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "termsofuse.bypassNotification": True,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class Firefox:
    """One browser with a profile of its own in this folder; without a display its window is nowhere.

    It goes by any certificate, and finds the names `at_home` on this machine.
    """

    def __init__(self, folder: Path, display: str = "", at_home: str = "") -> None:
        port = own_port()
        wanted = {**PREFERENCES, "marionette.port": port, "network.dns.localDomains": at_home}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in wanted.items()]
        (folder / "user.js").write_text("\n".join(lines), encoding="utf-8")
        argv = ["firefox-esr", "--marionette", "--no-remote", "--profile", str(folder)]
        argv += [] if display else ["--headless"]
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), "DISPLAY": display, "LANG": "C.UTF-8"}
        with (folder / "firefox.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*argv, "--width", "1200", "--height", "860", "about:blank"], env=env, stdout=log, stderr=log
            )
        self._number = 0
        self._line = eventually(lambda: self._dial(port), 60, "Firefox")
        self._hear()
        self.say("WebDriver:NewSession", {"acceptInsecureCerts": True})

    def _dial(self, port: int) -> socket.socket | None:
        assert self._process.poll() is None, "Firefox ended"
        with suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), 60)
        return None

    def _hear(self) -> Any:
        """One message: its length, a colon, JSON."""
        size = b""
        while not size.endswith(b":"):
            size += self._line.recv(1)
        body = b""
        while len(body) < int(size[:-1]):
            body += self._line.recv(65536)
        return json.loads(body)

    def say(self, command: str, given: dict[str, Any]) -> Any:
        """Has a command carried out; its answer."""
        self._number += 1
        words = json.dumps([0, self._number, command, given]).encode()
        self._line.sendall(b"%d:%s" % (len(words), words))
        _, _, error, answer = self._hear()
        assert error is None, error
        return answer

    def go(self, url: str) -> None:
        self.say("WebDriver:Navigate", {"url": url})

    def evaluate(self, expression: str) -> Any:
        """What an expression is on the page."""
        return self.say("WebDriver:ExecuteScript", {"script": f"return {expression};", "args": []})["value"]

    def shoot(self, path: Path) -> None:
        """What the window shows, as a picture."""
        path.write_bytes(b64decode(self.say("WebDriver:TakeScreenshot", {"full": False})["value"]))

    def close(self) -> None:
        self._line.close()
        self._process.terminate()
        self._process.wait(20)
