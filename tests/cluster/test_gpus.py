"""GPUs on the cluster: a job has those that it asks for, by whichever option; a refusal says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from qconnect_web.errors import SchedulerFailed
from qconnect_web.values.job import JobSpec, JobState
from tests.cluster.cluster import Cluster
from tests.cluster.files import GPU_TYPE, GPUS
from tests.cluster.server import ClusterServer
from tests.schedulers.systems import System

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
SPEC = JobSpec("gpus", memory="100MB", walltime="00:10:00")
FORMS = ["slurm", "slurm-gres"]


@pytest.fixture(scope="module")
def slurm(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    system = System("slurm", cluster, tmp_path_factory.mktemp("gpus"))
    yield system
    system.close()


def granted(cluster: Cluster, job_id: str) -> str:
    """What Slurm says of a job, with what it was given on each node."""
    return cluster.login.run(["scontrol", "--details", "show", "job", job_id], "alice").stdout


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("gpu_type", [None, GPU_TYPE])
def test_a_job_has_the_gpus_that_it_asks_for(slurm: System, cluster: Cluster, form: str, gpu_type: str | None) -> None:
    job_id = slurm.submit("sleep 1000", replace(SPEC, gpus=GPUS, gpu_type=gpu_type), form=form)
    try:
        slurm.wait(job_id, JobState.RUNNING)
        assert f"GRES=gpu:{GPU_TYPE}:{GPUS}" in granted(cluster, job_id)
    finally:
        slurm.ask("cancel", job_id)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("more", [{"gpus": GPUS + 1, "gpu_type": GPU_TYPE}, {"gpus": 1, "gpu_type": "quadro"}])
def test_gpus_that_no_node_has_are_refused(slurm: System, form: str, more: dict[str, int | str]) -> None:
    with pytest.raises(SchedulerFailed, match=r"(?i)no node of the partition has.* GPU"):
        slurm.submit("true", replace(SPEC, **more), form=form)  # type: ignore[arg-type]  # two of its fields


def test_a_launch_by_rest_has_its_gpus_and_is_told_what_the_queue_has(
    slurm_server: ClusterServer, cluster: Cluster
) -> None:
    for spec, field in (({"gpus": GPUS + 1}, "gpus"), ({"gpus": 1, "gpu_type": "quadro"}, "gpu_type")):
        refused = slurm_server.request("POST", "qconnect/api/sessions", {"app": "xterm", "spec": spec})
        assert refused.status == 422, refused.body
        assert set(refused.json()["fields"]) == {field}
    job_id = slurm_server.launch("xterm", spec={"gpus": 1, "gpu_type": GPU_TYPE})["id"]
    try:
        slurm_server.wait_for(job_id, "READY")
        assert f"GRES=gpu:{GPU_TYPE}:1" in granted(cluster, job_id)
    finally:
        slurm_server.end(job_id)
