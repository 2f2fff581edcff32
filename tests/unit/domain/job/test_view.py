"""Tests of the view of a Job."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.job.status import Status
from chalicelib.domain.job.view import EXAMPLE, MAX_TEXT, JobView, view
from chalicelib.domain.kubernetes.jobs import Job, JobSpec, JobStatus
from chalicelib.domain.kubernetes.pods import Pod
from chalicelib.domain.labels import JOB_TYPE_LABEL, USER_ANNOTATION, USER_LABEL
from tests.support.builders import (
    NOW,
    NOW_MS,
    container,
    ended,
    job,
    minutes_ago,
    pod,
    running,
    template,
    waiting,
)
from tests.support.kubernetes_objects import objects

QUEUED = {"kueue.x-k8s.io/queue-name": "gpus"}


def view_of(subject: Job, *pods: Pod) -> JobView:
    """Return the view of *subject* in team-a."""
    return view("team-a", subject, pods)


class TestReason:
    """Tests of the reason and the message."""

    @pytest.mark.parametrize(
        ("subject", "expected"),
        [
            (pod("Pending", status=waiting("ErrImagePull", "no such image")), ("ErrImagePull", "no such image")),
            (pod("Pending", status=waiting("ErrImagePull")), ("ErrImagePull", None)),
            (pod("Running"), (None, None)),
        ],
        ids=["both", "no message", "nothing to explain"],
    )
    def test_reason_and_message(self, subject: Pod, expected: tuple[str | None, str | None]) -> None:
        """The reason and the message are those of the cluster, or null."""
        job_view = view_of(job(), subject)

        assert (job_view.reason, job_view.message) == expected


class TestGpus:
    """Tests of requested and allocated GPUs."""

    @pytest.mark.parametrize(
        ("spec", "expected"),
        [
            pytest.param(JobSpec(template=template(container(gpus="4"))), 4, id="one pod"),
            pytest.param(JobSpec(template=template(container(gpus=4), container(gpus="2"))), 6, id="two containers"),
            pytest.param(JobSpec(parallelism=3, completions=3, template=template(container(gpus="4"))), 12, id="three"),
            pytest.param(JobSpec(parallelism=3, completions=2, template=template(container(gpus="4"))), 8, id="fewer"),
            pytest.param(JobSpec(parallelism=3, completions=9, template=template(container(gpus="4"))), 12, id="waves"),
            pytest.param(JobSpec(parallelism=3, template=template(container(gpus="4"))), 12, id="work queue"),
            pytest.param(JobSpec(parallelism=0, template=template(container(gpus="4"))), 0, id="parallelism 0"),
            pytest.param(JobSpec(completions=0, template=template(container(gpus="4"))), 0, id="nothing to complete"),
            pytest.param(JobSpec(completions=5, template=template(container(gpus="4"))), 4, id="sequential"),
            pytest.param(JobSpec(template=template(container(gpus="half"))), 0, id="invalid quantity"),
            pytest.param(JobSpec(), 0, id="no containers"),
        ],
    )
    def test_requested(self, spec: JobSpec, expected: int) -> None:
        """The GPUs of all pods that can run at the same time are requested."""
        assert expected == view_of(job(spec=spec)).requested_gpus

    def test_allocated(self) -> None:
        """Pods on a node hold their GPUs, also while their image is pulled or they terminate, until they have ended."""
        four = [container(gpus="4")]
        phases = ("Running", "Pending", "Succeeded", "Failed", None)
        pods = [pod(phase, node="n1", containers=four) for phase in phases]
        pods += [pod("Pending", containers=four), pod(node="n1", containers=four, deletion_timestamp=NOW)]

        assert view_of(job(), *pods).current_allocated_gpus == 16


class TestFields:
    """Tests of the other fields."""

    def test_all_fields(self) -> None:
        """The view contains every documented field."""
        subject = job(
            labels={JOB_TYPE_LABEL: "Interactive", USER_LABEL: "sha256-x", "team": "vision", "job-name": "train-1"},
            annotations={USER_ANNOTATION: "alice@example.com"},
            spec=JobSpec(
                parallelism=2,
                completions=2,
                completion_mode="Indexed",
                template=template(container("a", 1), container("b"), container("a")),
            ),
            status=JobStatus(
                active=2,
                ready=1,
                succeeded=1,
                failed=0,
                completed_indexes="0,2-4",
                failed_indexes="1",
                start_time=minutes_ago(1),
            ),
            creation_timestamp=minutes_ago(2),
        )

        wire = msgspec.to_builtins(
            view_of(
                subject,
                pod("Running", node="n2", containers=[container("a", "1")]),
                pod("Running", node="n1", status=running(minutes_ago(0.5))),
                pod("Running", node="n2"),
                pod("Running"),
                pod("Failed", node="n3"),
            )
        )

        expected = {
            "id": "uid-of-train-1",
            "project": "team-a",
            "name": "train-1",
            "status": "Running",
            "type": "Interactive",
            "nodes": ["n1", "n2"],
            "createdAt": NOW_MS - 120_000,
            "images": "a, b",
            "user": "alice@example.com",
            "currentAllocatedGPUs": 1,
            "requestedGPUs": 2,
            "reason": None,
            "message": None,
            "exitCode": None,
            "failedPod": None,
            "startedAt": NOW_MS - 30_000,
            "queuedSeconds": 90,
            "finishedAt": None,
            "pods": {"active": 2, "ready": 1, "succeeded": 1, "failed": 0},
            "completedIndexes": "0,2-4",
            "failedIndexes": "1",
            "keep": False,
            "labels": {"team": "vision"},
            "links": {"self": "/jobs/team-a/train-1"},
        }
        assert expected == wire

    def test_documented_example_is_a_view(self) -> None:
        """The example in the OpenAPI document is a valid response."""
        assert msgspec.to_builtins(msgspec.convert(EXAMPLE, JobView)) == EXAMPLE

    @pytest.mark.parametrize("label", [None, "Train", "interactive", "Inference", ""])
    def test_type(self, label: str | None) -> None:
        """A Job without the label Interactive has the type Train."""
        labels = {} if label is None else {JOB_TYPE_LABEL: label}

        assert view_of(job(labels=labels)).type == "Train"

    @pytest.mark.parametrize("deleted", [None, NOW])
    def test_finished_at(self, deleted: datetime | None) -> None:
        """The finish time is the completion time or that of the failure, also while the Job is being deleted."""
        complete, failed = ended("Complete"), ended("Failed")
        complete.completion_time = minutes_ago(1)

        times = [view_of(job(status=status, deletion_timestamp=deleted)).finished_at for status in (complete, failed)]

        assert times == [NOW_MS - 60_000, NOW_MS]


class TestAnyJob:
    """Tests with missing and extreme fields."""

    def test_job_with_few_fields(self) -> None:
        """A Job of another client has a view; test_openapi validates the empty fields against the schema."""
        subject = msgspec.json.decode('{"metadata": {"name": "a.b"}}', type=Job)

        wire = msgspec.to_builtins(view_of(subject))
        assert {name: value for name, value in wire.items() if value} == {
            "project": "team-a",
            "name": "a.b",
            "status": "Pending",
            "type": "Train",
            "pods": {"active": 0, "ready": 0, "succeeded": 0, "failed": 0},
            "links": {"self": "/jobs/team-a/a.b"},
        }

    def test_job_with_large_fields(self) -> None:
        """Strings are truncated, and numbers and times are limited."""
        containers = [container('"' * 700_000, gpus="999999999")] * 12
        spec = JobSpec(parallelism=2**31 - 1, template=template(*containers))
        year_1 = datetime(1, 1, 1, tzinfo=UTC)
        annotations = {"researcher.dev/user": "a" * 200_000}

        job_view = view_of(
            job(spec=spec, status=JobStatus(active=-1), creation_timestamp=year_1, annotations=annotations)
        )

        assert (job_view.requested_gpus, job_view.pods.active, job_view.created_at) == (2**53 - 1, 0, 0)
        assert len(job_view.images) == len(job_view.user) == MAX_TEXT + 3

    def test_pod_without_fields(self) -> None:
        """All fields of a pod are optional."""
        assert view_of(job(), msgspec.json.decode("{}", type=Pod)).status == "Pending"

    @given(objects(Job), st.lists(objects(Pod), max_size=3))
    def test_any_job_has_a_view(self, subject: Job, pods: list[Pod]) -> None:
        """Any field of the Job and its pods can be missing or contain any value."""
        wire = msgspec.to_builtins(view_of(subject, *pods))

        assert wire["status"] in get_args(Status)
        assert msgspec.json.encode(wire)
