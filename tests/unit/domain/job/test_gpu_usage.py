"""Tests of the GPU-seconds of a Job."""

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
    """Return a pod that ran for *minutes* until NOW, or from *start* to *end*, or whose times are not known."""
    since = start if minutes is None else minutes_ago(minutes)
    state = ContainerState(terminated=Terminated(started_at=since, finished_at=end) if since else None)
    status = PodStatus(container_statuses=[ContainerStatus(state=state)])
    return pod("Succeeded", status=status, containers=[container(gpus=gpus)])


def one_hour_job(ended: int, parallelism: int = 1) -> Job:
    """Return a Job that ran for an hour; *ended* of its pods with 2 GPUs succeeded."""
    job = finished(spec=JobSpec(parallelism=parallelism, template=template(container(gpus=2))))
    job.status.start_time, job.status.succeeded = minutes_ago(60), ended
    return job


class TestUsage:
    """Tests of usage."""

    def test_is_the_sum_over_its_pods(self) -> None:
        """Each pod counts with its duration and its GPUs."""
        job = one_hour_job(ended=1)
        job.status.failed = 1

        assert usage(job, [ran(30), ran(10, gpus=4)]) == Usage(30 * 60 * 2 + 10 * 60 * 4, "pods")

    @pytest.mark.parametrize(
        ("pods", "ended"),
        [
            pytest.param([], 1, id="no pods"),
            pytest.param([], 0, id="no pods, none counted"),
            pytest.param([ran(30)], 2, id="a pod is missing"),
            pytest.param([ran(30), ran(None)], 1, id="a pod without times"),
            pytest.param([ran(30), pod("Failed")], 2, id="a pod evicted before it ran"),
        ],
    )
    def test_is_estimated_if_a_pod_is_missing(self, pods: list[Pod], ended: int) -> None:
        """The estimate is the duration of the Job times the GPUs of the pods that can run at the same time."""
        assert usage(one_hour_job(ended, parallelism=3), pods) == Usage(3600 * 3 * 2, "job")

    def test_is_never_negative(self) -> None:
        """Clock skew between nodes, or a Job that never started, does not give a negative result."""
        unstarted = one_hour_job(ended=0)
        unstarted.status = JobStatus(conditions=unstarted.status.conditions)

        assert usage(unstarted, []) == Usage(0, "job")
        assert usage(one_hour_job(ended=1), [ran(None, start=NOW, end=NOW - timedelta(1))]) == Usage(0, "pods")
