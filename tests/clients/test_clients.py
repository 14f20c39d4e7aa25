"""The HTML5 clients of this machine: which belongs to which xpra, what is put into them, how they are sent."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import re
import stat
import subprocess
from pathlib import Path

import pytest

from qconnect_web.clients import xpra as clients
from qconnect_web.clients.assets import Asset, Bundle, byte_range, read_folder
from qconnect_web.clients.csp import csp
from qconnect_web.clients.xpra import Client, Clients, inject_agent, load_client, xpra_version
from qconnect_web.config import QConnect

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("browser_code")]
INLINE = "var a = 1 < 2;\n"
HANDLER = "go(); return false"
PAGE = f"""<!DOCTYPE html>
<html><head lang="en"><title>client</title><script src="js/Utilities.js"></script></head>
<body><a href="#" onclick="{HANDLER}">x</a><p onmouseover="">y</p><script>{INLINE}</script></body></html>"""


def sha(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def www(folder: Path, version: str = "3.1.3") -> Path:
    """A small client as xpra ships it."""
    (folder / "js/lib").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "connect.html").write_text("<p>theirs</p>")
    (folder / "js/Utilities.js").write_text(f'var Utilities = {{ VERSION\t: "{version}" }};\n' + "// padding\n" * 200)
    (folder / "js/Utilities.js.map").write_text("{}")
    return folder


def xpra(prefix: Path, words: str) -> None:
    """A program that answers `--version` with these words."""
    program = prefix / "bin/xpra"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\necho '{words}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


async def twice_ready(found: Clients) -> None:
    await asyncio.gather(found.ready(), found.ready())
    await found.ready()


def directive(policy: str, name: str) -> list[str]:
    (found,) = [rule.split()[1:] for rule in policy.split("; ") if rule.split()[0] == name]
    return found


@pytest.mark.parametrize(
    ("text", "version"),
    [("xpra v3.1.3\n", (3, 1)), ("3.1.3-r0", (3, 1)), ("xpra v6.5.3", (6, 5)), ("6.6", (6, 6)), ("none", None)],
)
def test_the_version_is_found_in_what_xpra_prints(text: str, version: tuple[int, int] | None) -> None:
    assert xpra_version(text) == version


def test_an_old_client_belongs_to_the_xpra_whose_version_it_carries(tmp_path: Path) -> None:
    client = load_client(www(tmp_path / "usr/share/xpra/www"))
    assert client
    assert client.version == (3, 1)


def test_a_client_that_is_numbered_apart_belongs_to_the_xpra_beside_it(tmp_path: Path) -> None:
    folder = www(tmp_path / "opt/share/xpra/www", version="17.1")
    xpra(tmp_path / "opt", "xpra v6.5.3")
    client = load_client(folder)
    assert client
    assert client.version == (6, 5)


def test_a_client_without_an_xpra_beside_it_is_left_out(tmp_path: Path) -> None:
    assert load_client(www(tmp_path / "opt/share/xpra/www", version="17.1")) is None


def test_the_xpra_beside_it_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = www(tmp_path / "opt/share/xpra/www", version="17.1")
    xpra(tmp_path / "opt", "")
    (tmp_path / "opt/bin/xpra").write_text('#!/bin/sh\n[ "$JPY_API_TOKEN$MY_PASSWORD" ] || echo xpra v6.5.3\n')
    for name in ("JPY_API_TOKEN", "MY_PASSWORD"):
        monkeypatch.setenv(name, "secret")
    client = load_client(folder)
    assert client
    assert client.version == (6, 5)


def test_a_hung_xpra_does_not_hold_up_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = www(tmp_path / "opt/share/xpra/www", version="17.1")
    xpra(tmp_path / "opt", "")
    (tmp_path / "opt/bin/xpra").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(clients, "VERSION_TIMEOUT_S", 0.3)
    assert load_client(folder) is None


def test_the_client_is_chosen_by_major_and_minor_version(tmp_path: Path) -> None:
    first, second = tmp_path / "a/share/xpra/www", tmp_path / "b/share/xpra/www"
    xpra(tmp_path / "b", "xpra v6.5.3")
    found = Clients([www(first), www(second, "17.1"), tmp_path / "nothing"])
    assert found.for_version("3.1.3") is None  # not read yet, and it must not block to read
    asyncio.run(twice_ready(found))
    old, new = found.for_version("3.1.5"), found.for_version("xpra v6.5.0")
    assert old
    assert new
    assert old is found.default()
    assert (old.version, new.version) == ((3, 1), (6, 5))
    assert old.digest != new.digest
    assert found.for_version("6.4") is None
    assert found.for_version("") is None


def test_files_are_found_by_manifest_and_never_by_path(tmp_path: Path) -> None:
    folder = www(tmp_path / "share/xpra/www")
    (folder.parent / "secret").write_text("secret")
    found = Clients([folder])
    asyncio.run(found.ready())
    client = found.default()
    assert client
    assert found.file(client.digest, "js/Utilities.js")
    for name in ("../secret", "js/../../secret", "/etc/passwd", "js/Utilities.js.map", "", "js", "js/Utilities.js\0"):
        assert found.file(client.digest, name) is None
    assert found.file("0" * 32, "index.html") is None


def test_a_link_to_a_file_outside_is_followed_when_loading(tmp_path: Path) -> None:
    folder = www(tmp_path / "share/xpra/www")
    (tmp_path / "jquery.js").write_text("jquery")
    (folder / "js/lib/jquery.js").symlink_to(tmp_path / "jquery.js")
    assert read_folder(folder)["js/lib/jquery.js"] == b"jquery"


def test_the_agent_runs_before_every_other_script() -> None:
    page = inject_agent(PAGE.encode()).decode()
    first = re.search(r"<script[^>]*>", page)
    assert first
    assert page[first.end() :].startswith('(()=>{"use strict";')
    assert page.replace(f"<script>{clients.agent().decode()}</script>", "") == PAGE


def test_the_agent_is_one_script_that_ends_no_script_early(tmp_path: Path) -> None:
    code = clients.agent().decode()
    assert not re.search(r"\b(import|export)\b", code)
    assert "</script" not in code.lower()
    assert "<!--" not in code
    (tmp_path / "agent.js").write_text(code)
    subprocess.run(["node", "--check", str(tmp_path / "agent.js")], check=True, timeout=30)


def test_the_policy_allows_the_inline_scripts_by_hash_and_nothing_else() -> None:
    allowed = directive(csp(PAGE.encode(), opaque=False), "script-src")
    assert set(allowed) == {"'self'", sha(INLINE), "'unsafe-hashes'", sha(HANDLER)}


def test_the_policy_hashes_what_the_browser_hashes_when_lines_end_as_on_windows() -> None:
    windows = PAGE.replace("\n", "\r\n").encode()
    assert sha(INLINE) in directive(csp(windows, opaque=False), "script-src")


def test_handlers_are_hashed_as_the_browser_reads_them() -> None:
    page = b'<head></head><a onclick="f(&quot;x&quot;)">x</a>'
    assert sha('f("x")') in directive(csp(page, opaque=False), "script-src")


@pytest.mark.parametrize("opaque", [False, True])
def test_no_policy_allows_eval_or_inline_scripts_at_large(opaque: bool) -> None:
    policy = csp(PAGE.encode(), opaque=opaque)
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in directive(policy, "script-src")
    assert directive(policy, "default-src") == ["'none'"]
    assert directive(policy, "frame-ancestors") == ["'self'"]
    assert ("sandbox" in policy) is opaque
    assert "allow-same-origin" not in policy


def test_our_own_page_takes_the_place_of_the_clients_connect_page(tmp_path: Path) -> None:
    client = load_client(www(tmp_path / "share/xpra/www"))
    assert client
    closed = client.bundle.files["connect.html"]
    assert b"theirs" not in closed.body
    assert b"postMessage" in closed.body
    assert closed.csp


def test_one_changed_byte_changes_the_address(tmp_path: Path) -> None:
    folder = www(tmp_path / "share/xpra/www")
    before = load_client(folder)
    (folder / "js/Utilities.js").write_text('VERSION : "3.1.3"!')
    after = load_client(folder)
    assert before
    assert after
    assert before.url != after.url


def test_the_gzip_form_is_the_file_and_is_made_only_where_it_helps() -> None:
    text = Asset("a.js", b"var a;\n" * 500)
    assert text.compressed
    assert gzip.decompress(text.compressed) == text.body
    assert len(text.compressed) < len(text.body) / 10
    assert Asset("a.png", b"\0" * 5000).compressed is None
    assert Asset("a.js", b"var a;").compressed is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=2-5", range(2, 6)),
        (" bytes=2- ", range(2, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-300", range(10)),
        ("bytes=0-999999999999999999", range(10)),
        ("bytes=10-", range(10, 10)),
        ("bytes=10-20", range(10, 10)),
        ("bytes=-0", range(10, 10)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=0-1,4-5", None),
        ("bytes=0-9999999999999999999", None),
        ("bytes=٣-4", None),
        ("bytes 0-1", None),
        ("items=0-1", None),
        ("", None),
    ],
)
def test_a_range_header_names_bytes_or_is_passed_over(header: str, found: range | None) -> None:
    assert byte_range(header, 10) == found


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-5", "bytes=0-0"])
def test_an_empty_file_has_no_range(header: str) -> None:
    assert byte_range(header, 0) == range(0)


def test_content_types_do_not_depend_on_the_machine() -> None:
    assert Asset("a.js", b"").content_type == "text/javascript; charset=utf-8"
    assert Asset("a.wasm", b"").content_type == "application/wasm"
    assert Asset("AUTHORS", b"").content_type == "application/octet-stream"


def test_bundles_with_the_same_bytes_under_other_names_differ() -> None:
    assert Bundle({"a": Asset("a", b"x")}).digest != Bundle({"b": Asset("b", b"x")}).digest


HERE = Path(QConnect().client_dirs[0])


@pytest.mark.skipif(not HERE.is_dir(), reason="xpra's client is not installed here")
def test_the_installed_client_loads_whole() -> None:
    client = load_client(HERE)
    assert isinstance(client, Client)
    names = client.bundle.files
    page = names["index.html"].body.decode()
    wanted = re.findall(r'<script[^>]* src="([^"]+)"', re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL))
    assert len(wanted) > 20
    assert [name for name in wanted if name not in names] == []
    assert sum(len(asset.compressed or asset.body) for asset in names.values()) < 1_300_000
