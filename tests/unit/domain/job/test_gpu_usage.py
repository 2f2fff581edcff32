"""The GPU-seconds that a Job used."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.job.gpu_usage import Usage, usage
from chalicelib.domain.kubernetes.jobs import Job, JobSpec, JobStatus
from chalicelib.domain.kubernetes.pods import ContainerState, ContainerStatus, Pod, PodStatus, Terminated
from tests.support.builders import NOW, container, finished, minutes_ago, pod, template

if TYPE_CHECKING:
    from datetime import datetime


def ran(minutes: float | None, gpus: int = 2, start: datetime | None = None, end: datetime = NOW) -> Pod:
    """A pod that ran for *minutes* until NOW, or of which nobody knows."""
    since = start if minutes is None else minutes_ago(minutes)
    state = ContainerState(terminated=Terminated(started_at=since, finished_at=end) if since else None)
    status = PodStatus(container_statuses=[ContainerStatus(state=state)])
    return pod("Succeeded", status=status, containers=[container(gpus=gpus)])


def hour(ended: int, parallelism: int = 1) -> Job:
    """A Job that ran for an hour, until *ended* of its pods of 2 GPUs had ended."""
    job = finished(spec=JobSpec(parallelism=parallelism, template=template(container(gpus=2))))
    job.status.start_time, job.status.succeeded = minutes_ago(60), ended
    return job


class TestUsage:
    """What a Job cost."""

    def test_is_the_sum_over_its_pods(self) -> None:
        """Each for as long as it ran, with the GPUs that it held."""
        job = hour(ended=1)
        job.status.failed = 1

        assert usage(job, [ran(30), ran(10, gpus=4)]) == Usage(30 * 60 * 2 + 10 * 60 * 4, "pods")

    @pytest.mark.parametrize(
        ("pods", "ended"),
        [
            pytest.param([], 1, id="no pod is left"),
            pytest.param([], 0, id="no pod is left, nor counted"),
            pytest.param([ran(30)], 2, id="a pod is missing"),
            pytest.param([ran(30), ran(None)], 1, id="a pod does not tell"),
            pytest.param([ran(30), pod("Failed")], 2, id="a pod was evicted before it ran"),
        ],
    )
    def test_is_estimated_where_a_pod_is_not_known(self, pods: list[Pod], ended: int) -> None:
        """From the hour that the Job ran, and the GPUs of the pods that it may run at once."""
        assert usage(hour(ended, parallelism=3), pods) == Usage(3600 * 3 * 2, "job")

    def test_is_never_negative(self) -> None:
        """Clocks of nodes differ; and a Job that never started has no time."""
        unstarted = hour(ended=0)
        unstarted.status = JobStatus(conditions=unstarted.status.conditions)

        assert usage(unstarted, []) == Usage(0, "job")
        assert usage(hour(ended=1), [ran(None, start=NOW, end=NOW - timedelta(1))]) == Usage(0, "pods")
