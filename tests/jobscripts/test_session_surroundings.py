"""Homes of any name, locales of any age and environments in any state: the session opens and ends well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.deadline import eventually
from tests.support.script_run import ScriptRun, app, ask, client_context

DIRT = {
    "LD_LIBRARY_PATH": "/bad",
    "LD_PRELOAD": "/nonexistent.so",
    "PYTHONHOME": "/nonexistent",
    "PYTHONPATH": "/bad",
    "PYTHONSTARTUP": "/bad",
    "DISPLAY": ":77",
    "XDG_RUNTIME_DIR": "/run/user/4242",
    "DBUS_SESSION_BUS_ADDRESS": "disabled:",
    "LC_ALL": "xx_XX.UTF-8",
    "PERL5LIB": "/bad",
    "POSIXLY_CORRECT": "1",
    "CDPATH": "/",
    "GREP_OPTIONS": "--color=always",
    "TMOUT": "3",
    "SSL_CERT_FILE": "/nonexistent",
    "OPENSSL_CONF": "/nonexistent",
    "CURL_HOME": "/x",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
}


def opens_and_ends_well(run: ScriptRun) -> None:
    with run.by_hand(app("bash", "-c", "until [[ -e go ]]; do sleep 0.1; done; exit 6")):
        connection = run.ready()
        assert ask(connection["port"], client_context(run.folder, run.folder / "client.pem"))
        (run.home / "go").touch()
        assert run.ended()["exit_status"] == 6
        run.exit_status()
        assert not run.living()


@pytest.mark.parametrize("name", ["with two  blanks", "Jürgen Größe", 'it\'s "quoted" $(id) `id`', "[a]*?{b,c}&;|"])
def test_a_home_of_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    opens_and_ends_well(ScriptRun(tmp_path / name))


@pytest.mark.parametrize("locale", ["C", "POSIX", "de_DE.ISO-8859-1", "ja_JP.eucJP"])
def test_a_home_with_umlauts_in_a_locale_that_cannot_write_them(tmp_path: Path, locale: str) -> None:
    (tmp_path / "Größe").mkdir()
    run = ScriptRun(tmp_path / "Größe")
    run.env |= {"LANG": locale, "LC_ALL": locale}
    opens_and_ends_well(run)


def test_an_environment_in_which_all_is_wrong(tmp_path: Path) -> None:
    run = ScriptRun(tmp_path)
    run.env |= DIRT
    opens_and_ends_well(run)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({}, "C.UTF-8"),
        ({"LANG": "de_DE.ISO-8859-1"}, "de_DE.ISO-8859-1"),
        ({"LC_CTYPE": "C"}, ""),
        ({"LC_ALL": "POSIX"}, ""),
    ],
)
def test_a_program_has_a_locale_of_utf_8_where_nobody_chose_one(
    tmp_path: Path, given: dict[str, str], seen: str
) -> None:
    run = ScriptRun(tmp_path)
    del run.env["LANG"]
    run.env |= given
    with run.by_hand(app("bash", "-c", 'echo "${LANG-}" > lang; xterm')):
        run.ready()
        eventually((run.home / "lang").exists, what="the program")
        assert (run.home / "lang").read_text().strip() == seen


@pytest.mark.parametrize(("hold", "word"), [(True, "off"), (False, "on")])
def test_x_repeats_no_key_where_keys_are_held(tmp_path: Path, hold: bool, word: str) -> None:
    run = ScriptRun(tmp_path)
    with run.by_hand(replace(app("bash", "-c", "xset q > repeat; xterm"), hold_keys=hold)):
        run.ready()
        eventually(lambda: (run.home / "repeat").exists() and (run.home / "repeat").read_text(), what="the program")
        assert f"auto repeat:  {word} " in (run.home / "repeat").read_text()
