"""Starts JupyterLab with the embedded `local` scheduler in a folder of its own and prints the URL to open."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

START_WITHIN = 60
"""Seconds that JupyterLab may take to answer."""
FIRST_PLOT = Path(__file__).with_name("first-plot.R")
APP = """# R as `make demo` has it: one click, and there is a picture.
setup: export R_PROFILE_USER={profile}
command:
  [xterm, -T, R, -geometry, 66x30+20+40, -u8, -fa, Monospace, -fs, "10", -sl, "10000", -e, R, --quiet, --no-save]
"""
"""What a site would write that prepares R for its users."""


def write_apps(folder: Path) -> None:
    """Writes the demo's own app file."""
    folder.mkdir(mode=0o755, exist_ok=True)
    (folder / "r.yaml").write_text(APP.format(profile=shlex.quote(str(FIRST_PLOT))))


def prepare(home: Path, token: str) -> None:
    """Writes the demo's own Jupyter configuration; the token goes into a private file, never into argv."""
    (home / "work").mkdir(parents=True, exist_ok=True)
    config = home / "config"
    (config / "labconfig").mkdir(parents=True, exist_ok=True)
    news = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "labconfig" / "page_config.json").write_text(json.dumps(news))
    write_apps(home / "apps")
    settings = config / "jupyter_server_config.json"
    settings.unlink(missing_ok=True)
    settings.touch(mode=0o600)
    ours = {"scheduler": "local", "apps_dirs": [str(home / "apps")]}
    settings.write_text(json.dumps({"IdentityProvider": {"token": token}, "QConnect": ours}))


def url_of(server: subprocess.Popen[bytes], runtime: Path) -> str:
    """Where the server answers, which says so in a file of its own: it takes another port when its first is taken."""
    told = runtime / f"jpserver-{server.pid}.json"
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            url = f"http://127.0.0.1:{json.loads(told.read_text())['port']}"
            urllib.request.urlopen(f"{url}/api", timeout=2).close()
        except (OSError, ValueError):  # not written, half written, or not listening yet
            time.sleep(0.2)
        else:
            return url
    server.terminate()
    raise SystemExit("JupyterLab did not start; its messages are above.")


def main() -> None:
    """Runs until Ctrl-C; sessions live on until their walltime, as they would on a cluster."""
    home = Path(os.environ.get("QCONNECT_DEMO", Path.home() / ".cache/qconnect-demo")).absolute()
    token = secrets.token_hex(16)
    prepare(home, token)
    path = f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"
    argv = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"]
    argv += [f"--ServerApp.port={os.environ.get('PORT', '8888')}", "--ServerApp.log_level=WARN"]
    argv += [f"--ServerApp.root_dir={home / 'work'}", *(["--allow-root"] if os.geteuid() == 0 else [])]
    places = {"JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_RUNTIME_DIR": str(home / "runtime")}
    server = subprocess.Popen(argv, env={**os.environ, "PATH": path, **places})
    url = url_of(server, home / "runtime")
    print(
        f"\n  Open this in your browser, then click the tile R (under QConnect):\n\n    {url}/lab?token={token}",
        flush=True,
    )
    print("  Ctrl-C ends JupyterLab; sessions live on, and are there again at the next make demo.\n", flush=True)
    signal.signal(signal.SIGINT, lambda *_: server.terminate())
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    server.wait()


if __name__ == "__main__":
    main()
