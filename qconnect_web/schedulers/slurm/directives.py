"""A request in the words of sbatch."""

from __future__ import annotations

from pathlib import Path

from ...units import format_walltime
from ...values.job import JobSpec
from ..directives import portable_name, settled, word
from ..request_form import RequestForm

MARK = "#SBATCH"
MIB = 1 << 20
MEMORY = ("--mem", "--mem-per-cpu")
MAILS = {"start": "BEGIN", "end": "END,FAIL", "start-and-end": "BEGIN,END,FAIL"}
INSTEAD = {"--mem": MEMORY, "--mem-per-cpu": MEMORY, "--mem-per-gpu": MEMORY}
"""sbatch takes one of them only (sbatch(1): `--mem`, `--mem-per-cpu` and `--mem-per-gpu` are mutually exclusive)."""


def lines(spec: JobSpec, form: RequestForm, log: Path | None) -> list[str]:
    """The directives, without their mark; raises BadRequest for what cannot be asked."""
    account = spec.account or form.account
    gpu_type = spec.gpu_type or form.gpu_type
    gpus = f"{word(gpu_type)}:{spec.gpus}" if gpu_type else f"{spec.gpus}"
    asked = {
        "--job-name": portable_name(spec.name),
        "--partition": spec.queue,
        "--account": account,
        "--qos": form.qos,
        "--nodes": spec.nodes,
        "--ntasks-per-node": 1,
        "--cpus-per-task": spec.cores,
        "--gpus-per-node": gpus if spec.gpus and form.gpus == "gpus-per-node" else None,
        "--gres": f"gpu:{gpus}" if spec.gpus and form.gpus == "gres" else None,
        "--mem": f"{form.node_memory(spec, MIB)}M" if form.memory == "mem" else None,
        "--mem-per-cpu": f"{form.core_memory(spec, MIB)}M" if form.memory == "mem-per-cpu" else None,
        "--time": format_walltime(spec.walltime_s),
        "--mail-type": MAILS.get(spec.mail or ""),
        "--output": log,
    }
    ours = {head: f"{head}={word(value)}" if value else None for head, value in asked.items()}
    return settled(ours, spec.native, INSTEAD)
