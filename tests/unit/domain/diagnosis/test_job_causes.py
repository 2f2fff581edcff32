"""Tests of the causes that a Job and its events show."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.diagnosis.job_causes import (
    failure_finding,
    not_created_finding,
    suspended_finding,
    without_active_pods_finding,
)
from chalicelib.domain.kubernetes.events import Event, EventSource
from chalicelib.domain.kubernetes.jobs import Condition, Job, JobSpec, JobStatus
from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from tests.support.builders import NOW, disrupted, ended, event, exited, job, meta, minutes_ago, pod

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.pods import Pod

STARTED = minutes_ago(5)


def failed_create(message: str, **fields: Any) -> Event:  # noqa: ANN401 - any field of an event
    """Return an event about a pod that the Job controller could not create."""
    return event("FailedCreate", message, kind="Job", about=meta(), type="Warning", **fields)


OLD = failed_create("exceeded quota", first_timestamp=minutes_ago(9), last_timestamp=minutes_ago(8))


class TestNotCreatedFinding:
    """Tests of not_created_finding."""

    @pytest.mark.parametrize(
        ("message", "cause"),
        [
            ('pods "x" is forbidden: exceeded quota: gpus', "NoPodsQuota"),
            ('pods "x" is forbidden: violates PodSecurity', "NoPodsAdmission"),
            ('admission webhook "x" denied the request', "NoPodsAdmission"),
            (None, "Unknown"),
        ],
    )
    def test_cause_from_the_message(self, message: str, cause: str) -> None:
        """The last event of the Job controller decides the cause, and the first one since when."""
        found = not_created_finding(job(status=JobStatus(start_time=STARTED)), [OLD, failed_create(message)])

        assert found
        assert (found.cause, found.message, found.since) == (cause, message or "", minutes_ago(9))

    @pytest.mark.parametrize(
        ("active", "events"),
        [
            pytest.param(0, [event("SuccessfulCreate", kind="Job", about=meta()), OLD], id="created later"),
            pytest.param(0, [event("Scheduled")], id="no event of the Job"),
            pytest.param(1, [failed_create("exceeded quota")], id="all pods exist"),
        ],
    )
    def test_other_events_do_not_count(self, active: int, events: list[Event]) -> None:
        """An old failure, an event about another object, or a failure before all pods existed is not the cause."""
        assert not_created_finding(job(status=JobStatus(start_time=STARTED, active=active)), events) is None

    def test_one_of_two_pods_is_missing(self) -> None:
        """A Job of several pods, of which the quota allows only some, has this cause too."""
        subject = job(spec=JobSpec(parallelism=2), status=JobStatus(start_time=STARTED, active=1))

        found = not_created_finding(subject, [failed_create("exceeded quota")])

        assert found
        assert found.cause == "NoPodsQuota"


class TestSuspendedFinding:
    """Tests of suspended_finding."""

    @pytest.mark.parametrize(
        ("metadata", "events", "cause"),
        [
            ({"annotations": {INCOMPLETE_ANNOTATION: ""}}, [], "Incomplete"),
            ({"labels": {"kueue.x-k8s.io/queue-name": "gpus"}}, [], "QueueWaiting"),
            ({}, [event("CreatedWorkload", kind="Job", about=meta())], "QueueRequired"),
            ({}, [event("Stopped", source=EventSource(component="batch/job-kueue-controller"))], "QueueRequired"),
            ({}, [event("Suspended", reporting_component="job-controller")], "Suspended"),
        ],
    )
    def test_who_suspends(self, metadata: dict[str, Any], events: list[Event], cause: str) -> None:
        """An interrupted creation, a queue, Kueue or a user; the time is that of the condition."""
        suspended = Condition(type="Suspended", status="True", last_transition_time=STARTED)

        found = suspended_finding(job(status=JobStatus(conditions=[suspended]), **metadata), events)

        assert (found.cause, found.since) == (cause, STARTED)


class TestFailureFinding:
    """Tests of failure_finding."""

    def test_pod_takes_precedence_over_events(self) -> None:
        """The last pod that failed is the cause; without one, the last preemption, whose pod was deleted."""
        subject = job(status=ended("Failed"))
        old: dict[str, Any] = {"first_timestamp": minutes_ago(9), "last_timestamp": minutes_ago(8)}
        events = [event("Preempted", "by pod a", **old), event("Preempted", "by pod b")]

        found = [failure_finding(subject, pods, events) for pods in ([pod("Failed", status=exited(1))], [])]

        assert [each and (each.cause, each.since) for each in found] == [("ExitCode", NOW), ("Preempted", NOW)]
        assert failure_finding(subject, [], []) is None


def ending(reason: str = "") -> Pod:
    """Return a pod whose grace period ended now, disrupted for *reason*."""
    return pod(deletion_timestamp=NOW, status=disrupted(reason))


class TestWithoutActivePodsFinding:
    """Tests of without_active_pods_finding."""

    @pytest.mark.parametrize(
        ("subject", "pods", "events", "cause"),
        [
            pytest.param(job(spec=JobSpec(parallelism=0)), [], [], "Suspended", id="parallelism 0"),
            pytest.param(job(), [ending("EvictionByEvictionAPI")], [], "Evicted", id="evicted"),
            pytest.param(job(), [ending()], [event("Preempted")], "Preempted", id="preempted"),
            pytest.param(job(), [ending()], [event("NodeNotReady")], "NodeLost", id="its node is not ready"),
            pytest.param(job(), [ending()], [], "Starting", id="in its grace period"),
            pytest.param(job(), [], [failed_create("exceeded quota")], "NoPodsQuota", id="not created"),
            pytest.param(
                job(status=JobStatus(failed=1)), [pod("Failed", status=exited(1))], [], "ExitCode", id="failed before"
            ),
            pytest.param(job(), [], [event("Preempted")], "Preempted", id="preempted, gone"),
            pytest.param(job(), [], [], "Starting", id="created"),
        ],
    )
    def test_cause(self, subject: Job, pods: list[Pod], events: list[Event], cause: str) -> None:
        """Ending pods, refused ones and failed ones are the causes, in this order."""
        assert without_active_pods_finding(subject, pods, events, NOW).cause == cause

    def test_pod_that_does_not_end(self) -> None:
        """A pod that still exists minutes after its grace period is on a node that does not respond."""
        found = without_active_pods_finding(job(), [ending()], [], NOW + timedelta(minutes=3))

        assert (found.cause, found.field_path) == ("NodeLost", "metadata.deletionTimestamp")
