"""Rendering: what goes in comes out exactly, and nothing of it is ever run or obeyed."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qconnect_web import job_script
from qconnect_web.apps.answers import handed, worded
from qconnect_web.config import QConnect
from qconnect_web.errors import BadRequest
from qconnect_web.job_script import quote, ready_scripts, render
from qconnect_web.schedulers.directives import option, portable_name, word
from qconnect_web.schedulers.request_form import PRESETS
from qconnect_web.values.app import Field
from qconnect_web.values.job import PORTABLE_NAME, JobSpec
from qconnect_web.values.session import Record
from tests.support.script_run import app

ROOT = Path(__file__).parents[2]
SPEC = JobSpec(name="probe", cores=2, memory="4GB", walltime="04:00:00")
RECORD = Record("key1", "probe", "Probe", SPEC, ("xterm",), created=1.0)
NASTY = [
    "$(touch SENTINEL)",
    "`touch SENTINEL`",
    "'; touch SENTINEL; '",
    '"; touch SENTINEL; "',
    "\\'; touch SENTINEL #",
    "\n#PBS -q evil\ntouch SENTINEL\n",
    "\n#SBATCH --partition=evil\n",
    "a\nb\\nc\td\\td\\",
    "\n'",
    "\\\n\\'",
    "${HOME} $HOME ~ * ? [a] {1..3} !! !1",
    "{{ key }} {% raw %} {# #}",
    "<(touch SENTINEL) >(touch SENTINEL) &",
    "-n",
    "",
    "größe ☃ 𝄞 \u202e",
    "\u2028#PBS -q evil\u2029",
    "%s%n \\x41 \\0 \\c",
]
# What a person can type: everything but control characters and half surrogates, rich in what shells care for.
TEXT = st.text(
    st.one_of(
        st.sampled_from("$`'\"\\\n\t #();&|<>*?[]{}!~%-="),
        st.characters(exclude_categories=("Cc", "Cs")),
    ),
    max_size=40,
) | st.sampled_from(NASTY)


def settings_of(script: str) -> str:
    """The part of a script that holds its values, up to where the library begins."""
    return script.partition("\n}\n")[0] + "\n}\n"


def directives(script: str) -> list[str]:
    return [
        line for line in re.split(r"[\n\r\x0b\x0c\x85\u2028\u2029]", script) if line.startswith(("#PBS", "#SBATCH"))
    ]


def bash(script: str, folder: Path) -> list[bytes]:
    """The NUL-ended words that a script prints, run by the real bash in an empty folder."""
    done = subprocess.run(
        ["/bin/bash", "-p", "-s"], input=script.encode(), cwd=folder, capture_output=True, timeout=60, check=True
    )
    assert not done.stderr
    return done.stdout.split(b"\0")[:-1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(TEXT, min_size=40, max_size=60))
def test_any_word_reaches_bash_exactly_and_runs_nothing(words: list[str], tmp_path: Path) -> None:
    quoted = quote(words)
    assert "\n" not in quoted
    assert bash(f"printf '%s\\0' {quoted}", tmp_path) == [text.encode() for text in words]
    assert not list(tmp_path.iterdir())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=TEXT, command=st.lists(TEXT, max_size=6), title=TEXT)
def test_a_name_and_a_command_survive_the_whole_script(
    name: str, command: list[str], title: str, tmp_path: Path
) -> None:
    record = replace(RECORD, title=title, spec=replace(SPEC, name=name), command=("run", *command))
    script = render(replace(app(), title=title), record, sessions_dir=Path("/s"), bind="tls")
    plain = render(app(), RECORD, sessions_dir=Path("/s"), bind="tls")
    shape = [re.sub("-N .*", "-N", line) for line in directives(script)]
    assert shape == [re.sub("-N .*", "-N", line) for line in directives(plain)]
    shown = bash(settings_of(script) + 'printf "%s\\0" "$qc_record" "${qc_command[@]}"', tmp_path)
    assert shown[1:] == [text.encode() for text in ("run", *command)]
    written = json.loads("{" + shown[0].decode())
    assert (written["title"], written["spec"]["name"]) == (title, name)
    assert written["command"] == ["run", *command]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", NASTY)
def test_what_looks_dangerous_is_only_text(text: str, tmp_path: Path) -> None:
    assert bash(f"printf '%s\\0' {quote(text)}", tmp_path) == [text.encode()]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("careless", ["{}", '"{}"', "'{}'"])
def test_without_the_quote_filter_a_word_would_run(careless: str, tmp_path: Path) -> None:
    for text in NASTY:
        script = f"printf '%s\\0' {careless.format(text)}"
        subprocess.run(["/bin/bash", "-p", "-s"], input=script.encode(), cwd=tmp_path, capture_output=True, timeout=60)
    assert (tmp_path / "SENTINEL").exists()


@pytest.mark.parametrize("text", ["a\0b", "\x1b[31m", "a\rb", "\x7f", "\x85", "\ud800"])
def test_control_characters_and_broken_unicode_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="Remove it"):
        quote(text)
    with pytest.raises(BadRequest):
        render(app(), replace(RECORD, command=("run", text)), sessions_dir=None, bind="tls")


@pytest.mark.parametrize(
    "change",
    [
        {"queue": "batch\n#PBS -v A=1"},
        {"queue": "$(id)"},
        {"queue": "a b"},
        {"queue": "-W x"},
        {"account": "a;id"},
        {"account": "größe"},
        {"native": ("-l a=b; id",)},
        {"native": ("-l feature=fast\n#PBS -q evil",)},
        {"native": ("feature=fast",)},
        {"native": ("-v `id`",)},
    ],
)
@pytest.mark.parametrize("form", PRESETS)
def test_directives_take_plain_words_only(change: dict[str, object], form: str) -> None:
    record = replace(RECORD, spec=replace(SPEC, **change))  # type: ignore[arg-type]  # wrong values are the point
    with pytest.raises(BadRequest):
        render(app(), record, sessions_dir=None, bind="tls", form=PRESETS[form])


@settings(max_examples=300)
@given(TEXT)
def test_every_name_becomes_a_portable_one(text: str) -> None:
    assert PORTABLE_NAME.fullmatch(portable_name(text))


def test_a_portable_name_stays_as_it_is() -> None:
    assert portable_name("RStudio-2.1_x+y") == "RStudio-2.1_x+y"
    assert portable_name("Größe von $(id)") == "Groe-von-id"


def test_torque_directives_say_what_was_asked() -> None:
    spec = replace(SPEC, queue="batch", account="proj", gpus=1, native=("-l feature=fast", "-r n"))
    script = render(
        app(), replace(RECORD, spec=spec), sessions_dir=None, bind="tls", folder=Path("/home/a b".replace(" ", "_"))
    )
    assert script.startswith("#!/bin/bash -p\n#PBS -N probe\n")
    assert directives(script) == [
        "#PBS -N probe",
        "#PBS -q batch",
        "#PBS -A proj",
        "#PBS -l nodes=1:ppn=2:gpus=1",
        "#PBS -l mem=4GB",
        "#PBS -l walltime=04:00:00",
        "#PBS -j oe",
        "#PBS -o /home/a_b/scheduler.log",
        "#PBS -l feature=fast",
        "#PBS -r n",
    ]


def test_slurm_directives_say_what_was_asked() -> None:
    spec = replace(SPEC, queue="batch", account="proj", gpus=1, nodes=2, native=("--constraint=fast",))
    record = replace(RECORD, spec=spec)
    script = render(app(), record, sessions_dir=None, bind="socket", form=PRESETS["slurm"], folder=Path("/f"))
    assert directives(script) == [
        "#SBATCH --job-name=probe",
        "#SBATCH --partition=batch",
        "#SBATCH --account=proj",
        "#SBATCH --nodes=2",
        "#SBATCH --ntasks-per-node=1",
        "#SBATCH --cpus-per-task=2",
        "#SBATCH --gpus-per-node=1",
        "#SBATCH --mem=2048M",
        "#SBATCH --time=04:00:00",
        "#SBATCH --output=/f/scheduler.log",
        "#SBATCH --constraint=fast",
    ]


@pytest.mark.parametrize("text", [text for text in NASTY if text.isprintable()])
def test_an_answer_of_the_apps_own_form_is_only_text_to_setup_and_program(text: str, tmp_path: Path) -> None:
    asked = (Field("answer", "text", "Answer"), Field("flag", "checkbox", "Flag"))
    what = replace(app("tool", "--x={answer}"), fields=asked, setup='printf "%s\\0" "$field_answer" "$field_flag"')
    spec = replace(SPEC, fields={"answer": text, "flag": True})
    command = worded(what.command, handed(asked, spec.fields))
    script = render(what, replace(RECORD, spec=spec, command=command), sessions_dir=tmp_path, bind="tls")
    program = (ROOT / "jobscripts/program.sh").read_text(encoding="utf-8")
    lines = [line for line in program.splitlines() if "qc_answers" in line]
    said = 'printf "%s\\0" "${qc_command[@]}"; bash -c \'printf "%s\\0" "$field_answer"\''
    ends = "\n".join([*lines, 'eval "$qc_setup"', said, ""])
    told: list[bytes] | None = None
    with suppress(subprocess.CalledProcessError):
        told = bash(settings_of(script) + ends, tmp_path)
    assert told == [text.encode(), b"1", b"tool", f"--x={text}".encode(), text.encode()]
    assert not list(tmp_path.iterdir())


def test_directives_come_before_any_command() -> None:
    lines = render(app(), RECORD, sessions_dir=None, bind="tls").splitlines()
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    assert not directives("\n".join(lines[first:]))


def test_a_template_cannot_emit_an_unquoted_value(monkeypatch: pytest.MonkeyPatch) -> None:
    template = job_script._environment().from_string("{{ name }}")
    with pytest.raises(TypeError, match="without a filter"):
        template.render(name="$(id)")


def test_an_app_without_a_command_needs_one() -> None:
    with pytest.raises(BadRequest, match="needs a command"):
        render(replace(app(), command=()), replace(RECORD, command=()), sessions_dir=None, bind="tls")


def test_words_and_options_of_batch_systems_pass() -> None:
    for text in ("batch", "n1+n2", "nodes=2:ppn=4", "a@b", 12):
        assert word(text) == str(text)
    for text in ("-l feature=fast", "-r n", "-h", "--exclusive", "--gres=gpu:1", "-p short"):
        assert option(text) == text


def shellcheck(*arguments: str, text: str = "") -> str:
    """What the pinned shellcheck says."""
    program = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([program, *arguments], cwd=ROOT, input=text, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def test_shellcheck_sees_the_library_as_one_script() -> None:
    assert shellcheck("--external-sources", "--check-sourced", "jobscripts/library.sh") == ""


@pytest.mark.parametrize("kind", ["gui", "desktop", "terminal", "vnc"])
def test_shellcheck_has_nothing_to_say(kind: str) -> None:
    assert shellcheck("-", text=render(app(kind=kind), RECORD, sessions_dir=None, bind="tls")) == ""


def test_every_global_is_declared_with_its_meaning_in_one_place() -> None:
    texts = {name: (ROOT / "jobscripts" / name).read_text() for name in job_script.pieces()}
    state, code = texts.pop("state.sh"), "\n".join(texts.values())
    declared = re.findall(r"^(?:declare (?:-a )?)?(qc_\w+)(?:=.*?)? +# \S", state, re.M)
    functions = {"qc_door_program", "qc_websocket_program", "qc_keymap_program", *re.findall(r"\b(qc_\w+)\(\)", code)}
    assert sorted(declared) == sorted(set(re.findall(r"\bqc_\w+", code)) - functions)
    template = (ROOT / "jobscripts/session.j2").read_text()
    values = re.findall(r"^declare (?:-a )?(qc_\w+)", state.partition("\n\n# This script")[0], re.M)
    assert values == re.findall(r"^  (qc_\w+)=", template, re.M)


def test_pieces_of_the_library_are_short() -> None:
    assert {*job_script.pieces(), "library.sh"} == {path.name for path in (ROOT / "jobscripts").glob("*.sh")}
    for name in job_script.pieces():
        text = (ROOT / "jobscripts" / name).read_text()
        assert len(text.splitlines()) <= 300
        for body in re.findall(r"^\w+\(\) \{\n(.*?)^\}", text, re.M | re.S):
            assert len(body.splitlines()) <= 30, body.splitlines()[0]


def test_the_committed_ready_script_is_what_the_renderer_makes() -> None:
    (committed,) = (ROOT / "jobscripts").glob("*.pbs")
    renew = "run: python -m qconnect_web.job_script jobscripts rstudio"
    assert (committed.stem, committed.read_text()) == ("rstudio", ready_scripts()["rstudio"]), renew


@pytest.mark.parametrize(("name", "memory"), [("rstudio", "4GB"), ("xterm", "1GB")])
def test_a_ready_script_asks_for_the_defaults_of_its_app(name: str, memory: str) -> None:
    assert directives(ready_scripts()[name]) == [
        f"#PBS -N {name}",
        "#PBS -l nodes=1:ppn=1",
        f"#PBS -l mem={memory}",
        "#PBS -l walltime=08:00:00",
        "#PBS -j oe",
    ]


@pytest.mark.parametrize("name", ["port_base", "port_range"])
def test_a_ready_script_takes_the_ports_of_a_site_that_sets_none(name: str) -> None:
    """It is written where no site's settings are at hand, and so are these two numbers."""
    assert inspect.signature(render).parameters[name].default == getattr(QConnect(), name)
