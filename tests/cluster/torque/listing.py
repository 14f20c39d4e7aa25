"""The tables of qstat and pbsnodes."""

from __future__ import annotations

from tests.cluster.torque.jobs import Job, clock, escaped, fold
from tests.cluster.torque.words import QUEUE_LIMITS, QUEUE_TABLE, TABLE, WIDE_TABLE

STATES = {"Transit": "T", "Queued": "Q", "Held": "H", "Waiting": "W", "Running": "R", "Exiting": "E", "Complete": "C"}


def short(jobs: list[Job]) -> str:
    """As `qstat`."""
    return TABLE + "".join(_short_row(job) for job in jobs) if jobs else ""


def _short_row(job: Job) -> str:
    name = job.name if len(job.name) <= 16 else f"...{job.name[-13:]}"
    used = job.used.get("cput", "0")
    return f"{job.id:<26} {name:<16} {job.owner:<15.15} {used:>8} {job.state} {job.queue:<15}\n"


def wide(jobs: list[Job], server: str, now: float, nodes: bool, one_line: bool) -> str:
    """As `qstat -a`, `-u`, `-n`, `-i`, `-r`."""
    if not jobs:
        return ""
    rows = []
    for job in jobs:
        row = _wide_row(job, now)
        if nodes:
            where = job.exec_host or " -- "
            row += f"   {where}" if one_line else f"\n   {where}"
        rows.append(row + "\n")
    return f"\n{server}: \n{WIDE_TABLE}{''.join(rows)}"


def _wide_row(job: Job, now: float) -> str:
    session = f"{job.session_id:>6}" if job.start_count else "   -- "
    elapsed = "      -- "
    if job.state == "R" and job.start_time:
        elapsed = f"{clock(max(0, now - job.start_time)):>9}"
    elif job.state == "W":
        elapsed = f"{job.resources['walltime']:>9}"
    memory = f"{job.resources['mem']:>9}" if "mem" in job.resources else "      -- "
    return (
        f"{job.id:<23} {job.owner:<11.11} {job.queue:<8.8} {job.name:<16.16} {session} {job.nodect:>5} "
        f"{job.nodect * job.ppn:>6} {memory} {job.resources['walltime']:>9} {job.state} {elapsed}"
    )


def xml(jobs: list[Job], now: float) -> str:
    """As one document of `qstat -x`."""
    return f'<?xml version="1.0"?>\n<Data>{"".join(job.xml(now) for job in jobs)}</Data>\n'


def counts(jobs: list[Job]) -> str:
    """As in `state_count`."""
    return "".join(f"{word}:{sum(job.state == letter for job in jobs)} " for word, letter in STATES.items())


def queue_full(name: str, queue: dict[str, str], jobs: list[Job]) -> str:
    """As one queue of `qstat -Q -f`; `queue` are its own attributes in order."""
    lines = [f"Queue: {name}\n", fold("queue_type", None, "Execution")]
    lines += [fold("total_jobs", None, str(len(jobs))), fold("state_count", None, counts(jobs))]
    running = sum(job.nodect for job in jobs if job.state == "R")
    limits = {key: value for key, value in queue.items() if key.startswith(("resources_", "acl_"))}
    rest = {key: value for key, value in queue.items() if key not in limits}
    lines += [fold(key, None, value) for key, value in limits.items()]
    lines += [fold("mtime", None, rest.pop("mtime"))]
    if name in ("batch", "interactive"):
        lines.append(fold("resources_assigned.nodect", None, str(running)))
    return "".join([*lines, *(fold(key, None, value) for key, value in rest.items())]) + "\n"


def queue_table(queues: dict[str, dict[str, str]], jobs: list[Job]) -> str:
    """As `qstat -Q`."""
    rows = []
    for name, queue in queues.items():
        mine = [job for job in jobs if job.queue == name]
        queued, running, held, waiting, moving, exiting, done = (
            sum(job.state == letter for job in mine) for letter in "QRHWTEC"
        )
        yes = {"True": "yes", "False": "no"}
        enabled, started = yes[queue["enabled"]], yes[queue["started"]]
        rows.append(
            f"{name:<16} {0:>5} {len(mine):>6} {enabled:>5} {started:>5} {queued:>5} {running:>5} {held:>5} "
            f"{waiting:>5} {moving:>5} {exiting:>5} E {done:>5}\n"
        )
    return QUEUE_TABLE + "".join(rows)


def queue_limits(queues: dict[str, dict[str, str]], jobs: list[Job], server: str) -> str:
    """As `qstat -q`."""
    rows, total_running, total_queued = [], 0, 0
    for name, queue in queues.items():
        running = sum(job.queue == name and job.state == "R" for job in jobs)
        queued = sum(job.queue == name and job.state in "QHW" for job in jobs)
        limit = queue.get("resources_max.walltime")
        walltime = f"{limit:>8}" if limit else "   --   "
        state = "E" if queue["enabled"] == "True" else "D"
        rows.append(f"{name:<16}   --      --    {walltime}   --  {running:>3} {queued:>3} --   {state} R\n")
        total_running += running
        total_queued += queued
    sums = f"{' ' * 47}----- -----\n{' ' * 46}{total_running:>6} {total_queued:>5}\n"
    return f"\nserver: {server}\n\n{QUEUE_LIMITS}{''.join(rows)}{sums}"


def node_text(name: str, attributes: dict[str, str]) -> str:
    """As one node of `pbsnodes -a`."""
    return "".join([f"{name}\n", *(f"     {key} = {value}\n" for key, value in attributes.items()), "\n"])


def node_xml(name: str, attributes: dict[str, str]) -> str:
    """As one node of `pbsnodes -x`."""
    inner = "".join(f"<{key}>{escaped(value)}</{key}>" for key, value in attributes.items())
    return f"<Node><name>{name}</name>{inner}</Node>"


def ranges(numbers: list[int], job: str) -> str:
    """Slots of one job as pbsnodes names them: `0-1/28.server`."""
    low, high = min(numbers), max(numbers)
    return f"{low}-{high}/{job}" if high > low else f"{low}/{job}"


def server_full(name: str, settings: dict[str, str], jobs: list[Job]) -> str:
    """As `qstat -B -f`."""
    running = sum(job.nodect for job in jobs if job.state == "R")
    pairs = {
        "server_state": "Active",
        "scheduling": "True",
        "total_jobs": str(len(jobs)),
        "state_count": counts(jobs),
        "acl_host_enable": "False",
        "acl_hosts": name,
        "managers": f"root@{name}",
        "operators": f"root@{name}",
        "default_queue": "batch",
        "log_events": "2047",
        "mail_from": "adm",
        "resources_assigned.nodect": str(running),
        "scheduler_iteration": "600",
        "node_check_rate": "150",
        "tcp_timeout": "300",
        "job_stat_rate": "300",
        "poll_jobs": "True",
        "down_on_error": "True",
        "mom_job_sync": "True",
        "pbs_version": "6.1.3.h5",
        "keep_completed": settings["keep_completed"],
        "submit_hosts": name,
        "next_job_number": settings["next_job_number"],
        "net_counter": "1 1 1",
        "moab_array_compatible": "True",
        "nppcu": "1",
        "timeout_for_job_delete": "120",
        "timeout_for_job_requeue": "120",
        "note_append_on_error": "True",
    }
    return "".join([f"Server: {name}\n", *(fold(key, None, value) for key, value in pairs.items())]) + "\n"
