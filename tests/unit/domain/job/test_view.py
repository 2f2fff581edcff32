"""What is shown of a Job."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.job.view import EXAMPLE, MAX_TEXT, JobView, Status, view
from chalicelib.domain.kubernetes.jobs import Job, JobSpec, JobStatus
from chalicelib.domain.kubernetes.pods import Pod
from chalicelib.domain.labels import JOB_TYPE_LABEL, USER_ANNOTATION, USER_LABEL
from tests.support.builders import (
    NOW,
    NOW_MS,
    container,
    ended,
    exited,
    job,
    minutes_ago,
    pod,
    template,
    unscheduled,
    waiting,
)
from tests.support.kubernetes_objects import objects

QUEUED = {"kueue.x-k8s.io/queue-name": "gpus"}


def shown(found: Job, *pods: Pod) -> JobView:
    """The view of the Job in team-a."""
    return view("team-a", found, pods)


class TestStatus:
    """Where a Job is: one word of a closed list."""

    def test_list_is_closed(self) -> None:
        """Clients switch on these nine."""
        assert set(get_args(Status)) == {
            "Pending",
            "Queued",
            "ContainerCreating",
            "Running",
            "Suspended",
            "Terminating",
            "Succeeded",
            "Failed",
            "Unknown",
        }

    @pytest.mark.parametrize(
        ("found", "pods", "expected"),
        [
            pytest.param(job(), [], "Pending", id="just made"),
            pytest.param(job(), [pod("Pending")], "Pending", id="pod without a node"),
            pytest.param(job(), [pod("Pending", status=unscheduled())], "Pending", id="unschedulable"),
            pytest.param(job(), [pod("Pending", node="n")], "ContainerCreating", id="pod on a node"),
            pytest.param(
                job(), [pod("Pending", node="n", status=waiting("ImagePullBackOff"))], "Pending", id="cannot pull"
            ),
            pytest.param(
                job(),
                [pod("Pending", node="n", status=waiting("ErrImagePull")), pod("Pending", node="n")],
                "ContainerCreating",
                id="one of two on its way",
            ),
            pytest.param(job(), [pod("Running")], "Running", id="running"),
            pytest.param(job(), [pod("Pending"), pod("Running")], "Running", id="one of two runs"),
            pytest.param(job(status=JobStatus(ready=1)), [], "Running", id="ready, as its own counts say"),
            pytest.param(job(status=JobStatus(active=1, ready=0)), [], "Pending", id="active but not ready"),
            pytest.param(job(status=JobStatus(ready=1)), [pod("Pending")], "Pending", id="the pods know better"),
            pytest.param(job(), [pod("Succeeded")], "Pending", id="between two completions"),
            pytest.param(job(), [pod("Failed", status=exited(1))], "Pending", id="between two attempts"),
            pytest.param(job(), [pod("Failed", node="n", status=exited(1))], "Pending", id="failed pod keeps its node"),
            pytest.param(job(), [pod("Unknown")], "Unknown", id="node is lost"),
            pytest.param(job(), [pod("Unknown"), pod("Pending")], "Pending", id="one of two nodes is lost"),
            pytest.param(job(), [pod("Running", deletion_timestamp=NOW)], "Pending", id="pod is being replaced"),
            pytest.param(job(spec=JobSpec(suspend=True)), [], "Suspended", id="suspended"),
            pytest.param(job(spec=JobSpec(suspend=True)), [pod("Running")], "Suspended", id="pods not yet stopped"),
            pytest.param(job(spec=JobSpec(suspend=True), labels=QUEUED), [], "Queued", id="waits in its queue"),
            pytest.param(job(spec=JobSpec(suspend=False), labels=QUEUED), [], "Pending", id="let out of its queue"),
            pytest.param(job(status=ended("Complete")), [], "Succeeded", id="complete"),
            pytest.param(job(status=ended("Failed")), [], "Failed", id="failed"),
            pytest.param(job(status=ended("Complete")), [pod("Running")], "Succeeded", id="complete, pod still stops"),
            pytest.param(job(spec=JobSpec(suspend=True), status=ended("Failed")), [], "Failed", id="though suspended"),
            pytest.param(job(status=ended("Complete"), deletion_timestamp=NOW), [], "Terminating", id="cleaned up"),
            pytest.param(job(deletion_timestamp=NOW), [pod("Running")], "Terminating", id="being deleted"),
        ],
    )
    def test_status(self, found: Job, pods: list[Pod], expected: str) -> None:
        """The strongest fact wins: deleted, ended, suspended, then what the pods do."""
        assert expected == shown(found, *pods).status


class TestReason:
    """Why it is there."""

    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            (pod("Pending", status=waiting("ErrImagePull", "no such image")), ("ErrImagePull", "no such image")),
            (pod("Pending", status=waiting("ErrImagePull")), ("ErrImagePull", None)),
            (pod("Running"), (None, None)),
        ],
        ids=["both", "no message", "nothing to explain"],
    )
    def test_reason_and_message_are_the_clusters(self, found: Pod, expected: tuple[str | None, str | None]) -> None:
        """`ErrImagePull` and the like are reasons, not statuses; what is not said is null."""
        seen = shown(job(), found)

        assert (seen.reason, seen.message) == expected


class TestGpus:
    """How many GPUs are asked for and in use."""

    @pytest.mark.parametrize(
        ("spec", "expected"),
        [
            pytest.param(JobSpec(template=template(container(gpus="4"))), 4, id="one pod"),
            pytest.param(JobSpec(template=template(container(gpus=4), container(gpus="2"))), 6, id="two containers"),
            pytest.param(JobSpec(parallelism=3, completions=3, template=template(container(gpus="4"))), 12, id="three"),
            pytest.param(JobSpec(parallelism=3, completions=2, template=template(container(gpus="4"))), 8, id="fewer"),
            pytest.param(JobSpec(parallelism=3, completions=9, template=template(container(gpus="4"))), 12, id="waves"),
            pytest.param(JobSpec(parallelism=3, template=template(container(gpus="4"))), 12, id="work queue"),
            pytest.param(JobSpec(parallelism=0, template=template(container(gpus="4"))), 0, id="none at once"),
            pytest.param(JobSpec(completions=0, template=template(container(gpus="4"))), 0, id="nothing to complete"),
            pytest.param(JobSpec(completions=5, template=template(container(gpus="4"))), 4, id="one after another"),
            pytest.param(JobSpec(template=template(container(gpus="half"))), 0, id="odd"),
            pytest.param(JobSpec(), 0, id="no containers"),
        ],
    )
    def test_requested(self, spec: JobSpec, expected: int) -> None:
        """Of all pods that run at once."""
        assert expected == shown(job(spec=spec)).requested_gpus

    def test_allocated_are_those_of_running_pods(self) -> None:
        """A pod that waits or has ended holds none."""
        four = [container(gpus="4")]
        pods = [pod(phase, containers=four) for phase in ("Running", "Running", "Pending", "Succeeded", "Failed", None)]

        assert shown(job(), *pods).current_allocated_gpus == 8


class TestFields:
    """Everything else."""

    def test_full(self) -> None:
        """Every field, on the wire as documented."""
        found = job(
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
                succeeded=3,
                failed=4,
                completed_indexes="0,2-4",
                failed_indexes="1",
                start_time=minutes_ago(1),
            ),
        )

        wire = msgspec.to_builtins(
            shown(
                found,
                pod("Running", node="n2", containers=[container("a", "1")]),
                pod("Running", node="n1"),
                pod("Running", node="n2"),
                pod("Running"),
                pod("Pending", node="n3"),
            )
        )

        expected = {
            "id": "uid-of-train-1",
            "project": "team-a",
            "name": "train-1",
            "status": "Running",
            "type": "Interactive",
            "nodes": ["n1", "n2"],
            "createdAt": NOW_MS,
            "images": "a, b",
            "user": "alice@example.com",
            "currentAllocatedGPUs": 1,
            "requestedGPUs": 2,
            "reason": None,
            "message": None,
            "startedAt": NOW_MS - 60_000,
            "finishedAt": None,
            "pods": {"active": 2, "ready": 1, "succeeded": 3, "failed": 4},
            "completedIndexes": "0,2-4",
            "failedIndexes": "1",
            "keep": False,
            "labels": {"team": "vision"},
            "links": {"self": "/jobs/team-a/train-1"},
        }
        assert expected == wire

    def test_documented_example_is_a_view(self) -> None:
        """The OpenAPI document shows what is really answered, null and all."""
        found = msgspec.convert(EXAMPLE, JobView)

        assert msgspec.to_builtins(found) == EXAMPLE

    @pytest.mark.parametrize("mark", [None, "Train", "interactive", "Inference", ""])
    def test_whatever_is_not_interactive_trains(self, mark: str | None) -> None:
        """The type is one of two, also of Jobs that others made."""
        labels = {} if mark is None else {JOB_TYPE_LABEL: mark}

        assert shown(job(labels=labels)).type == "Train"

    @pytest.mark.parametrize("deleted", [None, NOW])
    def test_finish(self, deleted: datetime | None) -> None:
        """The completion, or the condition of a failure; a Job that is being cleaned up keeps it."""
        complete, failed = ended("Complete"), ended("Failed")
        complete.completion_time = minutes_ago(1)

        found = [shown(job(status=status, deletion_timestamp=deleted)).finished_at for status in (complete, failed)]

        assert found == [NOW_MS - 60_000, NOW_MS]


class TestTotality:
    """However odd the Job, it has a view."""

    def test_job_of_kubectl_with_hardly_any_fields(self) -> None:
        """Nothing of ours is on it; what is empty or null then, test_openapi holds against the document's schema."""
        found = msgspec.json.decode('{"metadata": {"name": "a.b"}}', type=Job)

        wire = msgspec.to_builtins(shown(found))
        assert {name: value for name, value in wire.items() if value} == {
            "project": "team-a",
            "name": "a.b",
            "status": "Pending",
            "type": "Train",
            "pods": {"active": 0, "ready": 0, "succeeded": 0, "failed": 0},
            "links": {"self": "/jobs/team-a/a.b"},
        }

    def test_job_of_enormous_fields(self) -> None:
        """Its texts are cut, its numbers are those that JSON readers keep, and no time is before 1970."""
        containers = [container('"' * 700_000, gpus="999999999")] * 12
        spec = JobSpec(parallelism=2**31 - 1, template=template(*containers))
        ancient = datetime(1, 1, 1, tzinfo=UTC)
        status = JobStatus(active=-1, start_time=ancient)

        found = shown(job(spec=spec, status=status, annotations={"researcher.dev/user": "a" * 200_000}))

        assert (found.requested_gpus, found.pods.active, found.started_at) == (2**53 - 1, 0, 0)
        assert len(found.images) == len(found.user) == MAX_TEXT + 3

    def test_pod_with_hardly_any_fields(self) -> None:
        """Nor need its pods say anything."""
        assert shown(job(), msgspec.json.decode("{}", type=Pod)).status == "Pending"

    @given(objects(Job), st.lists(objects(Pod), max_size=3))
    def test_any_job_has_a_view_of_a_known_status(self, found: Job, pods: list[Pod]) -> None:
        """Whatever stands in the fields of the Job and its pods, or does not."""
        wire = msgspec.to_builtins(shown(found, *pods))

        assert wire["status"] in get_args(Status)
        assert msgspec.json.encode(wire)
