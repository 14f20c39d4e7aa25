"""What the server knows of a job, and how `qstat -f` and `qstat -x` tell it, attribute by attribute."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

TIMES = {"ctime", "mtime", "qtime", "etime", "start_time", "comp_time", "Execution_Time"}
"""Attributes that are epoch seconds in XML and a date without a zone in text."""
WIDTH = 78
NODES_WANTED = "Not Running: Not enough of the right type of nodes are available"
LIMIT_REACHED = "Not Running: User has reached queue running job limit."


@dataclass
class Job:
    """One job; `slurm` is the id of the Slurm job that runs it, `state` TORQUE's letter."""

    number: int
    server: str
    owner: str
    host: str
    queue: str
    script: str
    options: dict[str, str]
    resources: dict[str, str]
    variables: dict[str, str]
    submit_args: str
    workdir: str
    output: str
    error: str
    ctime: float
    name: str
    state: str = "Q"
    hold: str = "n"
    execution_time: float | None = None
    slurm: int | None = None
    exclude: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    exec_host: str | None = None
    session_id: int = 0
    comment: str | None = None
    exit_status: int | None = None
    hint: str | None = None
    used: dict[str, str] = field(default_factory=dict)
    mtime: float = 0
    etime: float | None = None
    start_time: float | None = None
    comp_time: float | None = None
    runtime: float | None = None
    start_count: int = 0
    ending: bool = False

    @property
    def id(self) -> str:
        return f"{self.number}.{self.server}"

    @property
    def nodect(self) -> int:
        return sum(int(part.partition(":")[0]) if part[:1].isdigit() else 1 for part in self._parts)

    @property
    def ppn(self) -> int:
        """Cores on each node (the largest, where nodes differ)."""
        return max(int(word[4:]) for part in self._parts for word in ["ppn=1", *part.split(":")] if word[:4] == "ppn=")

    @property
    def wanted_nodes(self) -> list[str]:
        """The nodes that are asked for by name."""
        return [part.partition(":")[0] for part in self._parts if not part[:1].isdigit()]

    @property
    def walltime(self) -> int:
        return seconds(self.resources["walltime"])

    @property
    def _parts(self) -> list[str]:
        return self.resources["nodes"].split("+")

    def over(self, now: float, exit_status: int | None = None) -> None:
        """The job has ended."""
        self.state, self.exit_status, self.comp_time, self.mtime = "C", exit_status, now, now

    def attributes(self, now: float) -> Iterator[tuple[str, str | None, str | float]]:
        """(name, sub-name, value) in TORQUE's order; what does not apply is absent."""
        yield "Job_Name", None, self.name
        yield "Job_Owner", None, f"{self.owner}@{self.server}"
        yield from (("resources_used", name, value) for name, value in self.used.items())
        yield from self._plain(job_state=self.state, queue=self.queue, server=self.server, Checkpoint="u")
        yield from self._plain(ctime=self.ctime, Error_Path=self.error, exec_host=self.exec_host)
        yield from self._plain(Execution_Time=self.execution_time, Hold_Types=self.hold)
        yield from self._plain(Join_Path=self.options.get("j", "n"), Keep_Files=self.options.get("k", "n"))
        yield from self._plain(Mail_Points=self.options.get("m", "a"), mtime=self.mtime, Output_Path=self.output)
        rerunable = str(self.options.get("r", "y") == "y")
        yield from self._plain(Priority=self.options.get("p", "0"), qtime=self.ctime, Rerunable=rerunable)
        yield from (("Resource_List", name, value) for name, value in self.resources.items())
        yield from self._plain(session_id=str(self.session_id) if self.start_count else None)
        if "S" in self.options:
            yield "Shell_Path_List", None, self.options["S"]
        if "A" in self.options:
            yield "Account_Name", None, self.options["A"]
        yield "Variable_List", None, ",".join(f"{name}={value}" for name, value in self.variables.items())
        yield from self._rest(now)

    def _rest(self, now: float) -> Iterator[tuple[str, str | None, str | float]]:
        running = self.state == "R" and self.start_time is not None
        yield from self._plain(euser=self.owner, egroup=self.owner, queue_type="E", sched_hint=self.hint)
        yield from self._plain(comment=self.comment, etime=self.etime)
        yield from self._plain(exit_status=None if self.exit_status is None else str(self.exit_status))
        mask = self.options.get("W", "")
        yield from self._plain(umask=str(int(mask[6:], 8)) if mask.startswith("umask=") else None)
        yield from self._plain(submit_args=self.submit_args or None, start_time=self.start_time)
        if running and self.start_time is not None:
            left = int(self.start_time + self.walltime - now)
            yield ("Walltime", "Remaining", str(left))
        yield from self._plain(start_count=str(self.start_count) if self.start_count else None)
        yield from self._plain(fault_tolerant="False", comp_time=self.comp_time if self.start_count else None)
        yield from self._plain(job_radix="0", total_runtime=None if self.runtime is None else f"{self.runtime:.6f}")
        yield from self._plain(submit_host=self.host, init_work_dir=self.workdir, request_version="1")
        yield from self._plain(user_kill_delay=self.options.get("K"))

    @staticmethod
    def _plain(**values: str | float | None) -> Iterator[tuple[str, str | None, str | float]]:
        yield from ((name, None, value) for name, value in values.items() if value is not None)

    def text(self, now: float, wide: bool) -> str:
        """As `qstat -f` (or `-f -1`, which does not fold)."""
        lines = [f"Job Id: {self.id}\n"]
        for name, sub, value in self.attributes(now):
            shown = time.ctime(float(value)) if name in TIMES else str(value)
            if name == "Walltime" and shown.startswith("-"):
                sub = "Exceeded"
            lines.append(fold(name, sub, shown, wide))
        return "".join(lines) + "\n"

    def xml(self, now: float) -> str:
        """As `qstat -x`."""
        parts = [f"<Job_Id>{escaped(self.id)}</Job_Id>"]
        group = None
        for name, sub, value in self.attributes(now):
            if group and group != (name if sub else None):
                parts.append(f"</{group}>")
                group = None
            shown = str(int(float(value))) if name in TIMES else escaped(str(value))
            if sub and group is None:
                parts.append(f"<{name}>")
                group = name
            parts.append(f"<{sub or name}>{shown}</{sub or name}>")
        return f"<Job>{''.join(parts)}</Job>"


def fold(name: str, sub: str | None, value: str, wide: bool = False) -> str:
    """One line of `qstat -f`, folded at column 78, where possible after a comma (qstat.c: prt_attr)."""
    title = f"{name}.{sub}" if sub else name
    if wide:
        return f"    {title} = {value}\n"
    column, first, out = len(title) + 7, True, f"    {title} = "
    parts = [part for part in value.split(",") if part]
    for count, part in enumerate(parts, 1):
        if column + len(part) < WIDTH:
            out += part
            column += len(part)
        else:
            if not first:
                out += "\n\t"
                column = 9
            for character in part:
                out += character
                column += 1
                if column >= WIDTH:
                    out += "\n\t"
                    column = 8
        if count < len(parts):
            first = False
            out += ","
            column += 1
    return out + "\n"


def escaped(text: str) -> str:
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&apos;")):
        text = text.replace(plain, entity)
    return text


def seconds(text: str) -> int:
    """`HH:MM:SS`, `MM:SS` or seconds; raises ValueError."""
    total = 0
    for part in text.split(":"):
        if not part.isdigit():
            raise ValueError(text)
        total = total * 60 + int(part)
    return total


def clock(total: float) -> str:
    """Seconds as `HH:MM:SS`."""
    whole = int(total)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
