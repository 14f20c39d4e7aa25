"""The questions of an app's own, the rules between fields, and the limits of site and app."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qconnect_web.apps import form_schema
from qconnect_web.apps.answers import from_text, handed, worded
from qconnect_web.apps.catalogue import Catalogue
from qconnect_web.apps.form import job_spec
from qconnect_web.apps.rules import carry_out
from qconnect_web.apps.site_form import checked
from qconnect_web.errors import BadFields, BadRequest
from qconnect_web.units import format_memory, format_walltime, parse_memory, parse_walltime
from qconnect_web.values.app import App, Field
from tests.support.servers import REPOSITORY

pytestmark = pytest.mark.unit
CASES = REPOSITORY / "tests/cases"
TOOL = """\
title: Tool
command: [tool, "{file}", "--threads={threads}", "{stereo}"]
fields:
  - {name: version, type: module, module: tool, required: true}
  - {name: file, type: path}
  - {name: threads, type: number, min: 1, max: 8, default: 2}
  - {name: stereo, type: checkbox, value: --stereo}
  - {name: renderer, type: choice, choices: [mesa, gpu], default: mesa}
  - {name: note, type: text}
  - {name: card, type: gpu}
when:
  - if: {renderer: gpu}
    min: {gpus: 1}
    set: {memory: 8g}
  - if: {renderer: mesa}
    set: {gpus: 0}
    hide: [card]
  - if: {queue: long}
    max: {cores: 4, walltime: 12h}
"""


def catalogue_with(folder: Path, text: str, site: dict[str, Any] | None = None) -> Catalogue:
    (folder / "tool.yaml").write_text(text)
    (folder / "tool.yaml").chmod(0o644)
    return Catalogue([folder], site)


@pytest.fixture
def app(tmp_path: Path) -> App:
    found = catalogue_with(tmp_path, TOOL)
    assert not found.problems
    return found.get("tool")


def wrong(app: App, given: dict[str, Any], queue: str | None = None) -> dict[str, str]:
    """What is said of which field."""
    with pytest.raises(BadFields) as refusal:
        job_spec(app, {"fields": {"version": "1"}, **given}, queue)
    return refusal.value.fields


# ------------------------------------------------------------------ amounts and rules, as the browser has them
@pytest.mark.parametrize("kind", ["memory", "walltime"])
def test_amounts_are_read_as_the_table_says(kind: str) -> None:
    read, write = {"memory": (parse_memory, format_memory), "walltime": (parse_walltime, format_walltime)}[kind]
    for text, normal in json.loads((CASES / "amounts.json").read_text())[kind].items():
        if normal is None:
            with pytest.raises(BadRequest):
                read(text)
        else:
            assert write(read(text)) == normal, text
            assert write(read(normal)) == normal, text


@pytest.mark.parametrize("case", json.loads((CASES / "rules.json").read_text()), ids=lambda case: case["name"])
def test_rules_are_carried_out_as_the_table_says(case: dict[str, Any]) -> None:
    outcome = carry_out(case["rules"], case["values"], case.get("unasked", {}))
    expected = {"hidden": [], "fixed": {}, "limits": {}, **case["expect"]}
    assert {key: getattr(outcome, key) for key in expected} == expected


# ------------------------------------------------------------------ answers
def test_answers_are_kept_with_the_defaults_of_those_that_were_not_given(app: App) -> None:
    spec = job_spec(app, {"fields": {"version": "5.11", "stereo": True, "note": "a 'b' $(c)"}})
    assert spec.fields == {
        "version": "5.11",
        "threads": 2,
        "stereo": True,
        "renderer": "mesa",
        "note": "a 'b' $(c)",
    }
    assert job_spec(app, spec.to_json()) == spec


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("version", None, "Version is needed. Fill it in."),
        ("version", "5; rm", "Version cannot be '5; rm'."),
        ("threads", "2", "Threads must be a number"),
        ("threads", 0, "Threads cannot be 0. Choose 1 or more."),
        ("threads", 9, "Threads cannot be 9. Choose 8 or less."),
        ("threads", float("nan"), "Threads must be a number"),
        ("threads", True, "Threads must be a number"),
        ("stereo", "yes", "Stereo is true or false"),
        ("renderer", "gl", "Renderer cannot be 'gl'. Choose one of: mesa, gpu."),
        ("note", "a\nb", "Note holds control characters."),
        ("note", "x" * 1001, "Note must be text of at most 1000 characters"),
        ("file", "a.vtk", "File must be a path in full"),
        ("file", "/a\x1bb", "File holds control characters."),
        ("nosuch", 1, "Tool has no field 'nosuch'. Known: "),
    ],
)
def test_an_answer_that_cannot_be_is_told_at_its_field(app: App, field: str, value: Any, words: str) -> None:
    told = wrong(app, {"fields": {"version": "1", field: value}})
    assert list(told) == [field]
    assert told[field].startswith(words)


def test_what_is_wrong_with_all_fields_is_told_at_once(app: App) -> None:
    told = wrong(app, {"cores": 0, "memory": "much", "queue": "a b", "fields": {"threads": 99}})
    assert set(told) == {"cores", "memory", "queue", "threads", "version"}


def test_a_path_below_the_home_is_one_in_full(app: App) -> None:
    assert job_spec(app, {"fields": {"version": "1", "file": "~/a b.vtk"}}).fields["file"] == f"{Path.home()}/a b.vtk"


def test_answers_stand_in_the_words_of_the_command_each_in_its_own() -> None:
    fields = (Field("file", "path", "File"), Field("n", "number", "N"), Field("flag", "checkbox", "F", value="--flag"))
    command = ("tool", "{file}", "--n={n}", "{flag}", "{other}", "{}", "$HOME")
    hostile = "/a b'\"$(touch x);`y`*{n}\\"
    texts = handed(fields, {"file": hostile, "n": 3, "flag": True})
    assert worded(command, texts) == ("tool", hostile, "--n=3", "--flag", "{other}", "{}", "$HOME")
    assert worded(command, handed(fields, {})) == ("tool", "--n=", "{other}", "{}", "$HOME")


def test_answers_that_are_typed_in_a_terminal_become_what_a_form_sends() -> None:
    assert from_text(Field("n", "number", "N"), "3") == 3
    assert from_text(Field("n", "number", "N"), "1.5") == 1.5
    assert from_text(Field("n", "checkbox", "N"), "yes") is True
    assert from_text(Field("n", "checkbox", "N"), "off") is False
    assert from_text(Field("n", "text", "N"), "3") == "3"
    for kind in ("number", "checkbox"):
        with pytest.raises(BadRequest):
            from_text(Field("n", kind, "N"), "maybe")


# ------------------------------------------------------------------ rules
def test_rules_set_hide_and_limit(app: App) -> None:
    drawn = job_spec(app, {"gpus": 2, "fields": {"version": "1", "renderer": "gpu", "card": "a100"}})
    assert (drawn.gpus, drawn.memory, drawn.fields["card"]) == (2, "8GB", "a100")
    assert job_spec(app, {"fields": {"version": "1"}}).gpus == 0


def test_the_server_enforces_the_rules(app: App) -> None:
    assert wrong(app, {"gpus": 1}) == {"gpus": "The GPUs is 0 while renderer is mesa. Leave it out."}
    assert "cannot be chosen while renderer is mesa" in wrong(app, {"fields": {"version": "1", "card": "a100"}})["card"]
    gpu = {"fields": {"version": "1", "renderer": "gpu"}}
    assert "is less than it may be while renderer is gpu" in wrong(app, gpu)["gpus"]
    assert "8GB while renderer is gpu" in wrong(app, {**gpu, "gpus": 1, "memory": "4GB"})["memory"]
    long = wrong(app, {"queue": "long", "cores": 8, "walltime": "1-00:00:00"})
    assert set(long) == {"cores", "walltime"}


def test_a_rule_about_a_queue_holds_where_that_is_the_default_one(app: App) -> None:
    assert set(wrong(app, {"cores": 8}, "long")) == {"cores"}
    assert job_spec(app, {"cores": 8, "fields": {"version": "1"}}, "other").cores == 8
    assert job_spec(app, {"fields": {"version": "1"}}, "long").queue is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fields: [{name: cores, type: text}]", "is 'cores', which is taken."),
        ("fields: [{name: a, type: text}, {name: a, type: text}]", "is 'a', which is taken."),
        ("fields: [{name: A, type: text}]", "a name of up to 32 small letters"),
        ("fields: [{name: a, type: colour}]", "text, number, choice"),
        ("fields: [{name: a, type: choice}]", "is a choice without `choices`."),
        ("fields: [{name: a, type: module}]", "is a module without `module`."),
        ("fields: [{name: a, type: number, max: 3, default: 4}]", "cannot be. A cannot be 4."),
        ("fields: [{name: a, type: text, colour: red}]", "is not a key of app files."),
        ("fields: [{type: text}]", "one question: a name, a type"),
        ("when: [{if: {nosuch: 1}, hide: [cores]}]", "names 'nosuch', which is no field."),
        ("when: [{if: {cores: 1}, hide: [nosuch]}]", "names 'nosuch', which is no field."),
        ("when: [{if: {cores: 1}, max: {memory: much}}]", "The memory 'much' is not a size."),
        ("when: [{if: {cores: 1}}]", "one rule: if, and what follows"),
        ("fields: [{name: a, type: path}]\ncommand: [bash, -c, 'tool {a}']", 'Write "$field_a" there.'),
    ],
)
def test_a_mistake_in_questions_or_rules_is_told(tmp_path: Path, text: str, words: str) -> None:
    found = catalogue_with(
        tmp_path, f"title: Tool\ncommand: [tool]\n{text}\n".replace("command: [tool]\n" * ("command" in text), "")
    )
    assert found.problems
    assert words in found.problems[0]


# ------------------------------------------------------------------ the site's form
def test_the_sites_limits_hold_beside_the_apps(tmp_path: Path) -> None:
    site = checked(
        {"cores": {"max": 8}, "memory": {"max": "16 g"}, "account": {"choices": ["p1", "p2"]}, "mail": False}
    )
    app = catalogue_with(
        tmp_path, "title: Tool\ncommand: [tool]\nform: {cores: {max: 16}, memory: {max: 8GB}}\n", site
    ).get("tool")
    assert "than this site allows. Ask for 8 or less." in wrong(app, {"cores": 9, "fields": {}})["cores"]
    assert "than Tool may have here" in wrong(app, {"memory": "9GB", "fields": {}})["memory"]
    assert wrong(app, {"account": "p3", "fields": {}})["account"].startswith(
        "The account 'p3' is not for Tool. Known: p1, p2"
    )
    fields = form_schema.form(app)["properties"]
    assert (fields["cores"]["maximum"], fields["memory"]["x-maximum"]) == (8, "8GB")
    assert fields["account"]["enum"] == [None, "p1", "p2"]
    assert "mail" not in fields


def test_native_options_are_the_users_only_where_the_site_says_so(tmp_path: Path) -> None:
    text = "title: Tool\ncommand: [tool]\nform: {native: true}\n"
    asked = {"native": ["-l feature=fast"], "fields": {}}
    assert "set by its app file" in wrong(catalogue_with(tmp_path, text).get("tool"), asked)["native"]
    allowed = catalogue_with(tmp_path, text, checked({"native": True})).get("tool")
    assert job_spec(allowed, asked).native == ("-l feature=fast",)
    with pytest.raises(BadFields, match="array of jobs"):
        job_spec(allowed, {"native": ["-t 1-9"]})


@pytest.mark.parametrize("form", [{"coers": True}, {"cores": 4}, {"cores": {"max": 0}}, {"memory": {"max": "much"}}])
def test_a_form_of_the_site_that_cannot_be_is_refused(form: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        checked(form)
