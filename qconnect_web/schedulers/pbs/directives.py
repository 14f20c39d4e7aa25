"""A request in the words of PBS: the `nodes` form of TORQUE, and the `select` form of OpenPBS and PBS Pro.

`mem`, `vmem` and what else belongs to a host stand in each chunk of `select`, and are refused beside it (pbs_resources,
section "Requesting Resources in Chunks"); `pmem` belongs to a process, in both.
"""

from __future__ import annotations

from pathlib import Path

from ...units import format_memory, format_walltime
from ...values.job import JobSpec
from ..directives import portable_name, settled, word
from ..request_form import RequestForm

MARK = "#PBS"
MAILS = {"start": "-m b", "end": "-m ae", "start-and-end": "-m abe"}
"""When an e-mail is sent (qsub(1)): at the beginning, at an end, at an abortion."""
INSTEAD = {
    "-l select": ("-l nodes", "-l mem", "-l vmem", "-l place"),
    "-l nodes": ("-l select", "-l place"),
    "-l ncpus": ("-l nodes", "-l select", "-l place"),
}
"""Forms that exclude each other: `select` beside `nodes` is refused (recordings: qsub-select-over-nodes)."""


def lines(spec: JobSpec, form: RequestForm, log: Path | None) -> list[str]:
    """The directives, without their mark; raises BadRequest for what cannot be asked."""
    account = spec.account or form.account
    ours = {
        "-N": f"-N {portable_name(spec.name)}",
        "-q": f"-q {word(spec.queue)}" if spec.queue else None,
        "-A": f"-A {word(account)}" if account and form.account_as == "account" else None,
        "-P": f"-P {word(account)}" if account and form.account_as == "project" else None,
        **(_select(spec, form) if form.cores == "select" else _nodes(spec, form)),
        "-l walltime": f"-l walltime={format_walltime(spec.walltime_s)}",
        "-l qos": f"-l qos={word(form.qos)}" if form.qos else None,
        "-m": MAILS.get(spec.mail or ""),
        "-j": "-j oe",
        "-o": f"-o {word(log)}" if log else None,
    }
    return settled(ours, spec.native, INSTEAD)


def _nodes(spec: JobSpec, form: RequestForm) -> dict[str, str | None]:
    """Nodes with their cores and GPUs; memory of the whole job."""
    gpus = f":{form.gpus}={spec.gpus}" if spec.gpus else ""
    amounts = {"mem": spec.memory_bytes, "vmem": spec.memory_bytes, "pmem": form.core_memory(spec, 1)}
    return {
        "-l nodes": f"-l nodes={spec.nodes}:ppn={spec.cores}{gpus}",
        **{f"-l {name}": _memory(name, size, form) for name, size in amounts.items()},
    }


def _select(spec: JobSpec, form: RequestForm) -> dict[str, str | None]:
    """Chunks with their cores, memory and GPUs, each on a node of its own."""
    chunk = [f"{spec.nodes}", f"ncpus={spec.cores}"]
    chunk += [f"{form.memory}={format_memory(form.node_memory(spec, 1))}"] if form.memory in ("mem", "vmem") else []
    chunk += [f"{form.gpus}={spec.gpus}"] if spec.gpus else []
    return {
        "-l select": f"-l select={':'.join(chunk)}",
        "-l place": "-l place=scatter" if spec.nodes > 1 else None,
        "-l pmem": _memory("pmem", form.core_memory(spec, 1), form),
    }


def _memory(name: str, size: int, form: RequestForm) -> str | None:
    return f"-l {name}={format_memory(size)}" if form.memory == name else None
