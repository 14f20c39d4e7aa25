"""How a site wants to be asked: in which form a job script names cores, memory, GPUs and who pays."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import BadRequest
from ..values.job import JobSpec


@dataclass(frozen=True)
class RequestForm:
    """One site's form; CHOICES has what each dialect knows.

    `cores` is how nodes and cores are asked for, and `memory` and `gpus` by which of the batch system's names;
    `account_as` is what a job's account goes by. `account` is for jobs whose app names none.
    """

    dialect: str
    cores: str = "nodes"
    memory: str = "mem"
    gpus: str = "gpus"
    account_as: str = "account"
    gpu_type: str = ""
    account: str = ""
    qos: str = ""

    def node_memory(self, spec: JobSpec, unit: int) -> int:
        """What one node is asked for, in whole units of so many bytes: a job's memory is that of all its nodes."""
        return -(-spec.memory_bytes // (spec.nodes * unit))

    def core_memory(self, spec: JobSpec, unit: int) -> int:
        """What is asked for each core, in whole units of so many bytes."""
        return -(-spec.memory_bytes // (spec.nodes * spec.cores * unit))


PRESETS = {
    "torque": RequestForm("pbs"),
    "select": RequestForm("pbs", cores="select", gpus="ngpus"),
    "slurm": RequestForm("slurm", gpus="gpus-per-node"),
    "slurm-mem-per-cpu": RequestForm("slurm", gpus="gpus-per-node", memory="mem-per-cpu"),
    "slurm-no-memory": RequestForm("slurm", gpus="gpus-per-node", memory="none"),
    "slurm-gres": RequestForm("slurm", gpus="gres"),
}
"""The forms that most sites have."""
USUAL = {"torque": "torque", "openpbs": "select", "slurm": "slurm", "local": "torque"}
"""The preset of each batch system. A real OpenPBS refuses GPUs in the `nodes` form (recordings: qsub-nodes-gpus)."""
CHOICES = {
    "pbs": {
        "cores": ("nodes", "select"),
        "memory": ("mem", "vmem", "pmem", "none"),
        "gpus": ("gpus", "ngpus"),
        "account_as": ("account", "project"),
    },
    "slurm": {
        "cores": ("nodes",),
        "memory": ("mem", "mem-per-cpu", "none"),
        "gpus": ("gpus-per-node", "gres"),
        "account_as": ("account",),
    },
}


def choices(trait: str) -> list[str]:
    """What a single trait may be in any dialect, and `auto`: as the preset has it."""
    return ["auto", *dict.fromkeys(value for of_dialect in CHOICES.values() for value in of_dialect[trait])]


def request_form(dialect: str, preset: str, **traits: str) -> RequestForm:
    """The preset with the single traits over it; raises BadRequest, naming the setting, for what does not fit.

    Of each trait in CHOICES `auto` is what the preset has.
    """
    form = PRESETS[preset]
    if form.dialect != dialect:
        fitting = ", ".join(name for name, other in PRESETS.items() if other.dialect == dialect)
        raise BadRequest(f"QConnect.request_form: {preset!r} is not a form of this batch system. Known: {fitting}.")
    for name, known in CHOICES[dialect].items():
        value = traits[name]
        if value not in ("auto", *known):
            raise BadRequest(
                f"QConnect.request_{name}: this batch system cannot be asked by {value!r}. Known: {', '.join(known)}."
            )
    if dialect == "pbs" and traits["gpu_type"]:
        raise BadRequest(
            "QConnect.request_gpu_type: PBS has no type of GPU. Name a resource or property in native_options."
        )
    return replace(form, **{name: value for name, value in traits.items() if value != "auto"})
