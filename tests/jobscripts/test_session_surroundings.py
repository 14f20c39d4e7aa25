"""Homes of any name, locales of any age and environments in any state: the session opens and ends well."""

from __future__ import annotations

from pathlib import Path

import pytest

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
