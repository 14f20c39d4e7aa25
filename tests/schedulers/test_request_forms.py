"""Six sites, and how their batch systems are asked for the same session."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError
from traitlets.config import Config

from qconnect_web.apps.catalogue import Catalogue
from qconnect_web.config import QConnect
from qconnect_web.errors import BadRequest, SchedulerFailed
from qconnect_web.job_script import directives
from qconnect_web.schedulers.commands import Done
from qconnect_web.schedulers.directives import check_native
from qconnect_web.schedulers.request_form import CHOICES, PRESETS, USUAL, RequestForm, request_form
from qconnect_web.schedulers.slurm.argv import job_id_of
from qconnect_web.site import build_sessions
from qconnect_web.values.job import JobSpec
from tests.cluster.torque import qsub, submit
from tests.support.recordings import DATA, OPENPBS, TORQUE, recorded

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("programs_named")]
SPEC = JobSpec("probe", cores=4, memory="6GB", walltime="01:00:00", gpus=1)
TWO = replace(SPEC, nodes=2, gpus=2)
PROFILES = {
    "torque": (
        ["-l nodes=1:ppn=4:gpus=1", "-l mem=6GB"],
        ["-l nodes=2:ppn=4:gpus=2", "-l mem=6GB"],
    ),
    "select": (
        ["-l select=1:ncpus=4:mem=6GB:ngpus=1"],
        ["-l select=2:ncpus=4:mem=3GB:ngpus=2", "-l place=scatter"],
    ),
    "slurm": (
        ["--nodes=1", "--ntasks-per-node=1", "--cpus-per-task=4", "--gpus-per-node=1", "--mem=6144M"],
        ["--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=4", "--gpus-per-node=2", "--mem=3072M"],
    ),
    "slurm-mem-per-cpu": (
        ["--nodes=1", "--ntasks-per-node=1", "--cpus-per-task=4", "--gpus-per-node=1", "--mem-per-cpu=1536M"],
        ["--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=4", "--gpus-per-node=2", "--mem-per-cpu=768M"],
    ),
    "slurm-no-memory": (
        ["--nodes=1", "--ntasks-per-node=1", "--cpus-per-task=4", "--gpus-per-node=1"],
        ["--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=4", "--gpus-per-node=2"],
    ),
    "slurm-gres": (
        ["--nodes=1", "--ntasks-per-node=1", "--cpus-per-task=4", "--gres=gpu:1", "--mem=6144M"],
        ["--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=4", "--gres=gpu:2", "--mem=3072M"],
    ),
}
"""What each asks for on one node and on two, between name and walltime."""
OUTER = ("-N", "-j", "-l walltime", "--job-name", "--time")
TRAITS = dict.fromkeys(CHOICES["pbs"], "auto") | {"gpu_type": "", "account": "", "qos": ""}


def lines(spec: JobSpec, form: RequestForm, *native: str) -> list[str]:
    """The directives without their mark."""
    told = directives(replace(spec, native=native), form).splitlines()
    return [re.sub(r"^#(PBS|SBATCH) ", "", line) for line in told]


def asked(spec: JobSpec, form: RequestForm, *native: str) -> list[str]:
    """What is asked for, beside name, walltime and output."""
    return [line for line in lines(spec, form, *native) if not line.startswith(OUTER)]


def form(preset: str, **traits: str) -> RequestForm:
    return request_form(PRESETS[preset].dialect, preset, **{**TRAITS, **traits})


def preview(settings: dict[str, Any], tmp_path: Path, app: str = "xterm") -> str:
    """The script that a site with these settings would submit."""
    sessions = build_sessions(QConnect(config=Config(QConnect={"sessions_dir": str(tmp_path), **settings})))
    sessions.queues.fitted = unchanged  # type: ignore[method-assign]  # no batch system is here to be asked
    return asyncio.run(sessions.preview(app, {"cores": 2, "memory": "4GB"}))


def command(system: str, case: str) -> str:
    """The command of a recorded case, with its options."""
    told: dict[str, dict[str, str]] = json.loads((DATA / f"{system}.json").read_text())
    return told[case]["command"]


async def unchanged(spec: JobSpec, *, memory_given: bool) -> JobSpec:
    return spec


@pytest.mark.parametrize("preset", PRESETS)
def test_each_profile_asks_in_its_own_form(preset: str) -> None:
    one, two = PROFILES[preset]
    assert asked(SPEC, PRESETS[preset]) == one
    assert asked(TWO, PRESETS[preset]) == two


@pytest.mark.parametrize("preset", PRESETS)
def test_without_gpus_no_line_speaks_of_them(preset: str) -> None:
    assert "gpu" not in " ".join(lines(replace(SPEC, gpus=0), PRESETS[preset]))


@pytest.mark.parametrize(
    ("preset", "traits", "line"),
    [
        ("torque", {"memory": "vmem"}, "-l vmem=6GB"),
        ("torque", {"memory": "pmem"}, "-l pmem=1536MB"),
        ("torque", {"gpus": "ngpus"}, "-l nodes=1:ppn=4:ngpus=1"),
        ("torque", {"cores": "select"}, "-l select=1:ncpus=4:mem=6GB:gpus=1"),
        ("select", {"memory": "vmem"}, "-l select=1:ncpus=4:vmem=6GB:ngpus=1"),
        ("select", {"memory": "pmem"}, "-l pmem=1536MB"),
        ("select", {"memory": "none"}, "-l select=1:ncpus=4:ngpus=1"),
        ("select", {"account": "p1"}, "-A p1"),
        ("select", {"account": "p1", "account_as": "project"}, "-P p1"),
        ("torque", {"qos": "gui"}, "-l qos=gui"),
        ("slurm", {"gpu_type": "a100"}, "--gpus-per-node=a100:1"),
        ("slurm-gres", {"gpu_type": "a100"}, "--gres=gpu:a100:1"),
        ("slurm", {"memory": "mem-per-cpu"}, "--mem-per-cpu=1536M"),
        ("slurm", {"account": "p1"}, "--account=p1"),
        ("slurm", {"qos": "gui"}, "--qos=gui"),
    ],
)
def test_a_single_trait_changes_one_line(preset: str, traits: dict[str, str], line: str) -> None:
    assert line in asked(SPEC, form(preset, **traits))
    assert line not in asked(SPEC, form(preset))


@pytest.mark.parametrize(
    ("preset", "mail", "line"),
    [
        ("torque", "start", "-m b"),
        ("torque", "end", "-m ae"),
        ("select", "start-and-end", "-m abe"),
        ("slurm", "start", "--mail-type=BEGIN"),
        ("slurm", "end", "--mail-type=END,FAIL"),
        ("slurm", "start-and-end", "--mail-type=BEGIN,END,FAIL"),
    ],
)
def test_an_e_mail_is_asked_for_in_the_batch_systems_words(preset: str, mail: str, line: str) -> None:
    assert line in lines(replace(SPEC, mail=mail), PRESETS[preset])
    assert not [told for told in lines(SPEC, PRESETS[preset]) if told.startswith(("-m", "--mail"))]


def test_a_type_of_gpu_that_the_user_asks_for_comes_first() -> None:
    wanted = replace(SPEC, gpu_type="v100")
    assert "--gres=gpu:v100:1" in lines(wanted, form("slurm-gres", gpu_type="a100"))
    assert "--gpus-per-node=v100:1" in lines(wanted, PRESETS["slurm"])
    assert not [line for line in lines(replace(wanted, gpus=0), PRESETS["slurm"]) if "v100" in line]


def test_an_account_that_the_app_names_comes_first() -> None:
    assert "--account=own" in lines(replace(SPEC, account="own"), form("slurm", account="p1"))


@given(
    preset=st.sampled_from(list(PRESETS)),
    nodes=st.integers(1, 5),
    cores=st.integers(1, 300),
    memory=st.integers(256, 1 << 20),
)
def test_what_is_asked_for_is_at_least_what_was_wanted_and_in_one_line(
    preset: str, nodes: int, cores: int, memory: int
) -> None:
    told = " ".join(lines(JobSpec("x", nodes=nodes, cores=cores, memory=f"{memory}MB"), PRESETS[preset]))
    amounts = re.findall(r"mem(?:-per-cpu)?=([0-9]+)([KMGT])", told)
    assert len(amounts) == (preset != "slurm-no-memory")
    parts = {"torque": 1, "slurm-mem-per-cpu": nodes * cores}.get(preset, nodes)
    for number, unit in amounts:
        size = int(number) * {"K": 1, "M": 1 << 10, "G": 1 << 20, "T": 1 << 30}[unit]
        assert memory << 10 <= size * parts < (memory << 10) + parts * 1024


# ------------------------------------------------------------------ native options
@pytest.mark.parametrize(
    ("preset", "native", "left"),
    [
        ("slurm", ["--mem-per-cpu=2G"], ["--mem-per-cpu=2G"]),
        ("slurm", ["--mem=2G"], ["--mem=2G"]),
        ("slurm", ["--mem-per-gpu 8G"], ["--mem-per-gpu 8G"]),
        ("slurm-mem-per-cpu", ["--mem=2G"], ["--mem=2G"]),
        ("slurm", ["!--mem"], []),
        ("slurm", ["!--mem", "!--mem-per-cpu"], []),
        ("slurm-no-memory", ["!--mem"], []),
        ("torque", ["!-l mem"], []),
        ("torque", ["-l mem=2gb,feature=fast"], ["-l mem=2gb,feature=fast"]),
        ("torque", ["-l pmem=2gb"], ["-l mem=6GB", "-l pmem=2gb"]),
        ("torque", ["-l select=1:ncpus=2:mem=1gb"], ["-l select=1:ncpus=2:mem=1gb"]),
        ("select", ["-l nodes=1:ppn=2", "-l mem=2gb"], ["-l mem=2gb"]),
    ],
)
def test_memory_is_asked_for_as_the_native_option_says(preset: str, native: list[str], left: list[str]) -> None:
    assert [line for line in asked(SPEC, PRESETS[preset], *native) if "mem" in line] == left


@pytest.mark.parametrize("preset", PRESETS)
def test_any_of_our_lines_can_be_left_out(preset: str) -> None:
    for line in (full := lines(SPEC, PRESETS[preset])):
        head = line.partition("=")[0] if "=" in line else line[:2]
        assert lines(SPEC, PRESETS[preset], f"!{head}") == [other for other in full if other != line]


@pytest.mark.parametrize(("preset", "native"), [("slurm", "!-l mem"), ("torque", "!--mem"), ("slurm", "!--memory")])
def test_what_names_no_line_is_refused_with_those_that_there_are(preset: str, native: str) -> None:
    with pytest.raises(BadRequest, match=r"names no line.*walltime|names no line.*--time"):
        lines(SPEC, PRESETS[preset], native)


def test_beside_a_native_select_nothing_stands_that_pbs_refuses() -> None:
    """Both recorded refusals: our `nodes` beside a `select` of the site's, and GPUs in `nodes`."""
    assert "Cannot be used with select or place: nodes" in recorded(OPENPBS, "qsub-select-over-nodes").err
    assert asked(SPEC, PRESETS["torque"], "-l select=1:ncpus=1") == ["-l select=1:ncpus=1"]
    assert recorded(OPENPBS, "qsub-nodes-gpus").status == 241
    assert not any("nodes" in line for line in lines(SPEC, PRESETS[USUAL["openpbs"]]))


@pytest.mark.parametrize(("system", "case"), [(OPENPBS, "qsub-select"), (TORQUE, "qsub-multi-mem")])
def test_a_real_qsub_took_the_names_of_this_form(system: str, case: str) -> None:
    done = recorded(system, case)
    assert done.status == 0
    taken = set(re.findall(r"\b(nodes|ppn|mem|select|ncpus)=", command(system, case)))
    preset = PRESETS["select" if system == OPENPBS else "torque"]
    ours = set(re.findall(r"\b(\w+)=", " ".join(asked(replace(SPEC, gpus=0), preset))))
    assert ours == taken


def test_torques_own_reading_of_the_directives() -> None:
    """The imitation of TORQUE's qsub and server reads them into the resources that were meant."""
    options = qsub._directives("#!/bin/bash\n" + directives(TWO, PRESETS["torque"]))
    assert submit._resources(options["l"], {}) == {
        "nodes": "2:ppn=4:gpus=2",
        "mem": "6GB",
        "walltime": "01:00:00",
        "nodect": "2",
    }


# ------------------------------------------------------------------ what sites refuse, and the form that cures it
def refusal(text: str) -> SchedulerFailed:
    with pytest.raises(SchedulerFailed) as caught:
        job_id_of(Done(("sbatch",), 1, "", text))
    assert "QConnect.request_form" in caught.value.message
    assert "Ask for less" not in caught.value.message
    assert "Ask for fewer" not in caught.value.message
    return caught.value


def test_a_site_that_does_not_schedule_memory() -> None:
    said = "sbatch: error: Memory specification can not be satisfied\nsbatch: error: Batch job submission failed: "
    assert refusal(f"{said}Requested node configuration is not available\n").reason == "request-form"
    assert not any("mem" in line for line in lines(SPEC, PRESETS["slurm-no-memory"]))


def test_a_site_that_takes_memory_for_each_core_alone() -> None:
    said = "sbatch: error: lua: --mem is not for this cluster. Use --mem-per-cpu.\nsbatch: error: cli_filter plugin"
    assert refusal(f"{said} terminated with error\n").reason == "submit-filter"
    for native in ([], ["--mem-per-cpu=3G"]):
        told = lines(SPEC, PRESETS["slurm-mem-per-cpu"], *native)
        assert [line for line in told if "mem" in line] == (native or ["--mem-per-cpu=1536M"])


def test_a_site_that_knows_gpus_as_generic_resources_alone() -> None:
    said = "Requested GRES option unsupported by configured SelectType plugin"
    assert refusal(f"sbatch: error: Batch job submission failed: {said}\n").reason == "request-form"
    told = lines(SPEC, form("slurm-gres", gpu_type="v100"))
    assert [line for line in told if "gpu" in line] == ["--gres=gpu:v100:1"]


# ------------------------------------------------------------------ settings
@pytest.mark.parametrize(
    ("scheduler", "line"),
    [
        ("torque", "#PBS -l nodes=1:ppn=2\n#PBS -l mem=4GB"),
        ("openpbs", "#PBS -l select=1:ncpus=2:mem=4GB"),
        ("slurm", "#SBATCH --mem=4096M"),
        ("local", "#PBS -l nodes=1:ppn=2\n#PBS -l mem=4GB"),
    ],
)
def test_each_batch_system_is_asked_in_its_usual_form(scheduler: str, line: str, tmp_path: Path) -> None:
    assert f"\n{line}\n" in preview({"scheduler": scheduler}, tmp_path)


def test_a_site_without_memory_and_one_with_memory_for_each_core(tmp_path: Path) -> None:
    slurm: dict[str, Any] = {"scheduler": "slurm"}
    assert "--mem" not in preview({**slurm, "request_form": "slurm-no-memory"}, tmp_path).partition("\n\n")[0]
    for settings in (
        {"request_form": "slurm-mem-per-cpu"},
        {"request_memory": "mem-per-cpu"},
        {"native_options": ["--mem-per-cpu=2048M"]},
    ):
        head = preview({**slurm, **settings}, tmp_path).partition("\n\n")[0]
        assert [line for line in head.splitlines() if "--mem" in line] == ["#SBATCH --mem-per-cpu=2048M"]


def test_an_app_that_leaves_a_line_out(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps/bare.yaml").write_text('title: B\ncommand: [xterm]\nresources: {native: ["!--mem"]}\n')
    apps = Catalogue([tmp_path / "apps"])
    assert not apps.problems
    assert "--mem" not in preview({"scheduler": "slurm", "apps_dirs": [str(tmp_path / "apps")]}, tmp_path, "bare")[:400]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"scheduler": "slurm", "request_form": "select"}, "request_form"),
        ({"scheduler": "torque", "request_form": "slurm-gres"}, "request_form"),
        ({"scheduler": "slurm", "request_cores": "select"}, "request_cores"),
        ({"scheduler": "slurm", "request_memory": "vmem"}, "request_memory"),
        ({"scheduler": "openpbs", "request_memory": "mem-per-cpu"}, "request_memory"),
        ({"scheduler": "openpbs", "request_gpus": "gres"}, "request_gpus"),
        ({"scheduler": "slurm", "request_account_as": "project"}, "request_account_as"),
        ({"scheduler": "torque", "request_gpu_type": "a100"}, "request_gpu_type"),
        ({"scheduler": "slurm", "native_options": ["!-l mem"]}, "native_options"),
    ],
)
def test_a_form_that_the_batch_system_does_not_have_stops_the_start(
    settings: dict[str, Any], named: str, tmp_path: Path
) -> None:
    with pytest.raises(BadRequest, match=rf"^QConnect\.{named}: "):
        preview(settings, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request_form", "lsf"),
        ("request_memory", "rss"),
        ("account", "a;id"),
        ("qos", "a b"),
        ("request_gpu_type", "$(id)"),
        ("native_options", ["!mem"]),
    ],
)
def test_a_setting_that_no_batch_system_knows_stops_the_start(name: str, value: object) -> None:
    with pytest.raises(TraitError, match=name):
        QConnect(config=Config(QConnect={name: value}))


def test_the_script_is_refused_as_a_start_would_be(tmp_path: Path) -> None:
    apps = tmp_path / "apps"
    apps.mkdir()
    (apps / "absent.yaml").write_text("title: A\ncommand: [nosuchprogram]\nrequires: [nosuchprogram]\n")
    (apps / "many.yaml").write_text('title: M\ncommand: [xterm]\nresources: {native: ["-t 1-3"]}\n')
    settings = {"scheduler": "local", "apps_dirs": [str(apps)]}
    with pytest.raises(BadRequest, match="nosuchprogram"):
        preview(settings, tmp_path, "absent")
    with pytest.raises(BadRequest, match="array"):
        preview(settings, tmp_path, "many")
    with pytest.raises(BadRequest, match="array"):
        check_native(["--array=1-3"])
