"""When a Job first ran, and how long it was queued."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from chalicelib.domain.job.start import first_run, queued_seconds, started_annotation
from chalicelib.domain.kubernetes.jobs import (
    Condition,
    Job,
    JobSpec,
    JobStatus,
    PodFailurePolicy,
    PodFailureRule,
)
from chalicelib.domain.kubernetes.pods import ContainerState, ContainerStatus, PodStatus, Terminated
from chalicelib.domain.labels import STARTED_ANNOTATION
from tests.support.builders import NOW, NOW_MS, finished, job, minutes_ago, pod, running, unscheduled, waiting

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.pods import Pod

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IGNORES = PodFailurePolicy(rules=[PodFailureRule(action="Ignore")])


def exited_at(minutes: float, since: datetime | None = None) -> PodStatus:
    """Return the status of a pod whose program started *minutes* ago, or at *since*, and has failed."""
    end = Terminated(exit_code=1, started_at=since or minutes_ago(minutes), finished_at=NOW)
    return PodStatus(container_statuses=[ContainerStatus(name="main", state=ContainerState(terminated=end))])


def crashed(restarts: int) -> PodStatus:
    """Return the status of a pod whose program started 5 minutes ago for the last time, and waits to be restarted."""
    status = waiting("CrashLoopBackOff")
    before = Terminated(exit_code=1, started_at=minutes_ago(5))
    status.container_statuses[0].last_state = ContainerState(terminated=before)
    status.container_statuses[0].restart_count = restarts
    return status


def minutes_since(start: datetime | None) -> float | None:
    """Return how many minutes before NOW *start* is."""
    return None if start is None else (NOW - start).total_seconds() / 60


class TestFirstRun:
    """`startedAt`."""

    @pytest.mark.parametrize(
        ("subject", "pods", "expected"),
        [
            pytest.param(job(status=JobStatus(start_time=minutes_ago(9))), [], None, id="no pod"),
            pytest.param(job(), [pod("Pending", status=unscheduled())], None, id="waits for a node"),
            pytest.param(job(), [pod("Pending", status=waiting("ErrImagePull"))], None, id="waits for its image"),
            pytest.param(job(), [pod(status=running(minutes_ago(3)))], 3, id="runs"),
            pytest.param(
                job(status=JobStatus(failed=1, active=1)),
                [pod("Failed", status=exited_at(7)), pod(status=running(minutes_ago(3)))],
                7,
                id="retried: the first attempt counts",
            ),
            pytest.param(
                job(status=JobStatus(failed=1, active=1)),
                [pod(status=running(minutes_ago(3)))],
                None,
                id="the first attempt is gone",
            ),
            pytest.param(
                job(status=JobStatus(succeeded=1, active=1)), [pod(status=running())], None, id="not all pods were read"
            ),
            pytest.param(job(), [pod("Failed", status=exited_at(0, EPOCH))], None, id="could not be started"),
            pytest.param(job(), [pod("Pending", status=crashed(0))], 5, id="waits for its restart"),
            pytest.param(job(), [pod("Pending", status=crashed(3))], None, id="restarted too often to know"),
            pytest.param(job(), [pod("Failed", status=PodStatus(reason="Evicted"))], None, id="evicted, without times"),
            pytest.param(
                job(),
                [pod("Failed", status=PodStatus(reason="Evicted")), pod(status=running())],
                None,
                id="one unknown",
            ),
            pytest.param(
                job(spec=JobSpec(suspend=True)), [pod(status=running(), deletion_timestamp=NOW)], None, id="suspended"
            ),
            pytest.param(
                job(spec=JobSpec(pod_failure_policy=IGNORES), status=JobStatus(start_time=minutes_ago(60))),
                [pod(status=running(), creation_timestamp=minutes_ago(3))],
                None,
                id="an evicted pod may not have been counted",
            ),
            pytest.param(
                job(status=JobStatus(start_time=minutes_ago(60))),
                [pod(status=running(minutes_ago(2)), creation_timestamp=minutes_ago(3))],
                2,
                id="waited for quota",
            ),
        ],
    )
    def test_is_when_a_pod_first_ran(self, subject: Job, pods: list[Pod], expected: float | None) -> None:
        """Not when the cluster started the Job; null if it has not run, or if pods that may have run are unknown."""
        assert minutes_since(first_run(subject, pods)) == expected

    def test_stored_start(self) -> None:
        """The start of a finished Job is stored, and then known without its pods; invalid values are ignored."""
        pods = [pod("Failed", status=exited_at(7))]
        annotations = started_annotation(finished("Failed"), pods)

        assert annotations == {STARTED_ANNOTATION: str(NOW_MS - 7 * 60_000)}
        assert minutes_since(first_run(finished("Failed", annotations=annotations), [])) == 7
        assert first_run(job(annotations=annotations), []) is None
        for text in ("", "-1", "1e9", "9" * 15, "x"):
            assert first_run(finished(annotations={STARTED_ANNOTATION: text}), []) is None
        assert started_annotation(finished(status=JobStatus(succeeded=1)), []) == {}


class TestQueuedSeconds:
    """`queuedSeconds`."""

    @pytest.mark.parametrize(
        ("status", "labels", "expected"),
        [
            pytest.param(None, {}, 600, id="from its creation"),
            pytest.param("False", {}, 120, id="from when its user resumed it"),
            pytest.param("False", {"kueue.x-k8s.io/queue-name": "gpus"}, 600, id="in a queue from its creation"),
        ],
    )
    def test_begins(self, status: str | None, labels: dict[str, str], expected: int) -> None:
        """A Job is queued from its creation, or from when its user resumed it, until it first runs."""
        resumed = Condition(type="Suspended", status=status or "", last_transition_time=minutes_ago(3))
        subject = job(
            creation_timestamp=minutes_ago(11),
            labels=labels,
            status=JobStatus(conditions=[resumed] if status else []),
        )

        assert queued_seconds(subject, minutes_ago(1)) == expected

    def test_unknown(self) -> None:
        """It is null as long as the Job has not run, and never negative, whatever the clocks of the nodes say."""
        assert queued_seconds(job(), None) is None
        assert queued_seconds(msgspec.json.decode("{}", type=Job), NOW) is None
        assert queued_seconds(job(), minutes_ago(1)) == 0
