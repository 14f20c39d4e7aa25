"""Answers about five jobs in each dialect, of which one may hold odd values, as the batch systems write them."""

from __future__ import annotations

from collections.abc import Callable

from qconnect_web.schedulers.commands import Done
from qconnect_web.schedulers.pbs import openpbs, torque
from qconnect_web.schedulers.slurm import jobs as slurm_jobs
from qconnect_web.values.job import Job

NUMBERS = range(11, 16)
PLACES = ("name", "account", "variable", "arguments")
"""Where a user's own words stand in an answer."""


def pretty(odd: dict[int, dict[str, str]]) -> str:
    """As OpenPBS prints five jobs; what is odd stands there to the letter, quotation marks included."""
    return _json(odd, "\n" + 8 * " ", "\n" + 12 * " ", "\n" + 16 * " ")


def one_line(odd: dict[int, dict[str, str]]) -> str:
    """The same without a line's end, as a site's filter may leave it."""
    return _json(odd, "", "", "")


def _json(odd: dict[int, dict[str, str]], job: str, member: str, inner: str) -> str:
    parts = []
    for number in NUMBERS:
        raw = {place: odd.get(number, {}).get(place, '"plain"') for place in PLACES}
        members = [
            f'"Job_Name":{raw["name"]}',
            '"Job_Owner":"alice@login"',
            f'"resources_used":{{{inner}"walltime":"00:00:09"{member}}}',
            '"job_state":"R"',
            '"queue":"workq"',
            f'"Account_Name":{raw["account"]}',
            '"exec_host":"n001/0*2"',
            '"qtime":"Fri Jul  1 14:42:57 2022"',
            f'"Resource_List":{{{inner}"mem":"1gb",{inner}"walltime":"08:00:00"{member}}}',
            '"stime":"Fri Jul  1 14:43:07 2022"',
            f'"Variable_List":{{{inner}"PBS_O_HOME":"/home/alice",{inner}"QCONNECT_SESSION":"key{number}",'
            f'{inner}"ODD":{raw["variable"]}{member}}}',
            '"comment":"Job run at Fri Jul 01"',
            '"run_count":1',
            f'"Submit_arguments":{raw["arguments"]}',
        ]
        parts.append(f'{job}"{number}.pbs":{{{member}' + f",{member}".join(members) + f"{job}}}")
    return '{"timestamp":1,"pbs_version":"23.06.06","Jobs":{' + ",".join(parts) + "}}\n"


def documents(odd: dict[int, dict[str, str]]) -> str:
    """As TORQUE prints five jobs that it is asked for by their ids: a document each."""
    return "".join(f'<?xml version="1.0"?>\n<Data>{_xml(number, odd)}</Data>\n' for number in NUMBERS)


def document(odd: dict[int, dict[str, str]]) -> str:
    """The same in one document, as `qstat -x` without ids prints them."""
    return f'<?xml version="1.0"?>\n<Data>{"".join(_xml(number, odd) for number in NUMBERS)}</Data>\n'


def _xml(number: int, odd: dict[int, dict[str, str]]) -> str:
    raw = {place: odd.get(number, {}).get(place, "plain") for place in PLACES}
    return (
        f"<Job><Job_Id>{number}.pbs</Job_Id><Job_Name>{raw['name']}</Job_Name><Job_Owner>alice@login</Job_Owner>"
        "<resources_used><walltime>00:00:09</walltime></resources_used><job_state>R</job_state><queue>workq</queue>"
        f"<Account_Name>{raw['account']}</Account_Name><exec_host>n001/0-1</exec_host><qtime>1656686577</qtime>"
        "<Resource_List><mem>1gb</mem><walltime>08:00:00</walltime></Resource_List>"
        f"<Variable_List>PBS_O_HOME=/home/alice,QCONNECT_SESSION=key{number},ODD={raw['variable']}</Variable_List>"
        "<comment>Job run at Fri Jul 01</comment><submit_args>"
        f"{raw['arguments']}</submit_args><start_time>1656686587</start_time><start_count>1</start_count></Job>"
    )


def squeue(odd: dict[int, dict[str, str]]) -> str:
    """As `squeue --json` of 23.11 prints five jobs."""
    return _squeue(odd, "\n    ", "\n      ")


def squeue_one_line(odd: dict[int, dict[str, str]]) -> str:
    """The same on one line."""
    return _squeue(odd, "", "")


def _squeue(odd: dict[int, dict[str, str]], job: str, member: str) -> str:
    parts = []
    for number in NUMBERS:
        raw = {place: odd.get(number, {}).get(place, '"plain"') for place in PLACES}
        members = [
            f'"account": {raw["account"]}',
            '"batch_host": "n001"',
            f'"comment": {{{member}  "job": "QCONNECT_SESSION=key{number}"{member}}}',
            f'"job_id": {number}',
            '"job_resources": {"allocated_nodes": [{"nodename": "n001"}, {"nodename": "n002"}]}',
            '"job_state": ["RUNNING"]',
            f'"name": {raw["name"]}',
            f'"wckey": {raw["variable"]}',
            f'"command": {raw["arguments"]}',
            '"partition": "workq"',
            '"start_time": {"set": true, "infinite": false, "number": 1656686587}',
            '"time_limit": {"set": true, "infinite": false, "number": 480}',
            '"user_id": 1001',
            '"user_name": "alice"',
        ]
        parts.append(f"{job}{{{member}" + f",{member}".join(members) + f"{job}}}")
    return '{"jobs": [' + ",".join(parts) + '\n  ], "meta": {}, "errors": []}\n'


Writer = Callable[[dict[int, dict[str, str]]], str]
Parser = Callable[[Done], list[Job]]
FLAVOURS: dict[str, tuple[Writer, Parser]] = {
    "openpbs": (pretty, openpbs.jobs),
    "openpbs, one line": (one_line, openpbs.jobs),
    "torque, by ids": (documents, torque.jobs),
    "torque, all": (document, torque.jobs),
    "slurm": (squeue, lambda done: slurm_jobs.jobs_of_json(done, "alice", 1001)),
    "slurm, one line": (squeue_one_line, lambda done: slurm_jobs.jobs_of_json(done, "alice", 1001)),
}


def read(flavour: str, odd: dict[int, dict[str, str]]) -> dict[str, Job]:
    """The jobs that this flavour's parser finds in such an answer."""
    write, parse = FLAVOURS[flavour]
    return {job.id: job for job in parse(Done(("qstat",), 0, write(odd), ""))}
