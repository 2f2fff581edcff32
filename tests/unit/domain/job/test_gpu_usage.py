"""Tests of the GPU-seconds of a Job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.job.gpu_usage import Usage, usage
from chalicelib.domain.kubernetes.jobs import Condition, Job, JobSpec, JobStatus
from chalicelib.domain.kubernetes.pods import ContainerState, ContainerStatus, Pod, PodStatus, Terminated
from tests.support.builders import NOW, container, finished, minutes_ago, pod, running, template

if TYPE_CHECKING:
    from datetime import datetime

SPEC = JobSpec(template=template(container(gpus=2)))


def ended_at(*times: datetime | None) -> list[ContainerStatus]:
    """Return the statuses of containers that ended at *times*."""
    ends = [Terminated(exit_code=0, finished_at=time) for time in times]
    return [ContainerStatus(state=ContainerState(terminated=end)) for end in ends]


def ran(
    minutes: float | None = 30,
    *,
    gpus: int = 2,
    end: datetime | None = NOW,
    age: float = 60,
    node: str | None = "n",
    **status: Any,  # noqa: ANN401 - any field of the status
) -> Pod:
    """Return a pod that was scheduled *minutes* before NOW, and whose container ended at *end*."""
    since = None if minutes is None else minutes_ago(minutes)
    scheduled = Condition(type="PodScheduled", status="True", last_transition_time=since)
    fields = {"conditions": [scheduled], "container_statuses": ended_at(end), **status}
    return pod(
        "Succeeded", node=node, creation_timestamp=minutes_ago(age), status=PodStatus(**fields),
        containers=[container(gpus=gpus)],
    )  # fmt: skip


def one_hour_job(ended: int, *conditions: Condition, spec: JobSpec = SPEC) -> Job:
    """Return a Job that ran for an hour; *ended* of its pods with 2 GPUs succeeded."""
    job = finished(spec=spec, creation_timestamp=minutes_ago(60))
    job.status.start_time, job.status.succeeded = minutes_ago(60), ended
    job.status.conditions += conditions
    return job


def resumed(minutes: float | None) -> Condition:
    """Return the condition of a Job that was resumed *minutes* before NOW."""
    time = None if minutes is None else minutes_ago(minutes)
    return Condition(type="Suspended", status="False", last_transition_time=time)


class TestUsage:
    """Tests of usage."""

    def test_is_the_sum_over_its_pods(self) -> None:
        """Each pod counts with its GPUs from when it was scheduled; containers that ended earlier do not matter."""
        job = one_hour_job(ended=1)
        job.status.failed = 1
        second = ran(10, gpus=4, init_container_statuses=ended_at(minutes_ago(9)))

        assert usage(job, [ran(30), second]) == Usage(30 * 60 * 2 + 10 * 60 * 4, is_lower_bound=False)

    @pytest.mark.parametrize(
        ("pods", "seconds"),
        [
            pytest.param([ran(None, start_time=minutes_ago(5))], 600, id="by the kubelet's time"),
            pytest.param([ran(30, node=None)], 0, id="never had a node"),
            pytest.param([ran(1, end=minutes_ago(2))], 0, id="clocks of nodes differ"),
        ],
    )
    def test_of_one_pod(self, pods: list[Pod], seconds: float) -> None:
        """Waiting for a node does not count, and the result is never negative."""
        assert usage(one_hour_job(1), pods) == Usage(seconds, is_lower_bound=False)

    @pytest.mark.parametrize(
        "job",
        [
            pytest.param(finished(), id="no GPUs"),
            pytest.param(one_hour_job(0, spec=JobSpec(parallelism=0, template=template(container()))), id="of no pods"),
        ],
    )
    def test_without_gpus(self, job: Job) -> None:
        """Without GPUs the result is exactly zero."""
        assert usage(job, []) == Usage(0, is_lower_bound=False)

    @pytest.mark.parametrize(
        ("job", "pods", "seconds"),
        [
            pytest.param(one_hour_job(1), [], 0, id="no pods"),
            pytest.param(one_hour_job(2), [ran()], 3600, id="a pod is missing"),
            pytest.param(one_hour_job(0, spec=JobSpec(parallelism=0, template=SPEC.template)), [ran(None)], 0, id="0"),
            pytest.param(one_hour_job(2), [ran(), ran(None)], 3600, id="a pod without times"),
            pytest.param(one_hour_job(2), [ran(), ran(end=None)], 3600, id="an end that was not reported"),
            pytest.param(
                one_hour_job(2), [ran(), ran(init_container_statuses=running().container_statuses)], 3600,
                id="a sidecar still runs",
            ),
            pytest.param(one_hour_job(1), [ran(age=30)], 3600, id="the first pod is younger than the start"),
            pytest.param(one_hour_job(1, resumed(30)), [ran()], 3600, id="suspended after it ran"),
            pytest.param(one_hour_job(1, resumed(None)), [ran()], 3600, id="suspended at an unknown time"),
        ],
    )  # fmt: skip
    def test_is_a_lower_bound(self, job: Job, pods: list[Pod], seconds: float) -> None:
        """What the cluster does not know any more is not counted; the result is marked."""
        assert usage(job, pods) == Usage(seconds, is_lower_bound=True)

    def test_created_suspended(self) -> None:
        """A Job that its creation or a queue resumed at once has had no pods before."""
        assert usage(one_hour_job(1, resumed(59.5)), [ran()]) == Usage(3600, is_lower_bound=False)

    def test_job_that_never_started(self) -> None:
        """A Job that failed before it started, by its deadline, has used nothing."""
        unstarted = one_hour_job(0)
        unstarted.status = JobStatus(conditions=unstarted.status.conditions)

        assert usage(unstarted, []) == Usage(0, is_lower_bound=False)
