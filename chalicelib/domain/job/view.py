"""What is shown of a Job: Run:ai's fields and ours. Total: however odd the Job, it has a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from chalicelib.domain.job.lifecycle import is_kept
from chalicelib.domain.job.status_reason import reason_of, wait_of
from chalicelib.domain.kubernetes.completion_indexes import shown_indexes
from chalicelib.domain.kubernetes.jobs import GPU, QUEUE_LABEL
from chalicelib.domain.kubernetes.quantities import amount
from chalicelib.domain.labels import JOB_TYPE_LABEL, USER_ANNOTATION, is_reserved_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.kubernetes.jobs import Container, Job
    from chalicelib.domain.kubernetes.pods import Pod

Status = Literal[
    "Pending",
    "Queued",
    "ContainerCreating",
    "Running",
    "Suspended",
    "Terminating",
    "Succeeded",
    "Failed",
    "Unknown",
]
"""Where a Job is. The list is closed; `reason` says more."""

Count = Annotated[int, msgspec.Meta(ge=0)]
MAX_COUNT = 2**53 - 1
"""The largest number that every JSON reader keeps; a Job may ask for 2,147,483,647 pods of many GPUs."""
MAX_TEXT = 4096
"""Characters of images and of a user; an image may have a million."""
Milliseconds = Annotated[int, msgspec.Meta(ge=0, extra_json_schema={"format": "int64"})]
"""Since 1970; more than the 32 bits a client would choose."""

Indexes = Annotated[str, msgspec.Meta(description="Of an indexed Job, such as `1,3-5,7`; a long one ends with `,...`.")]


class PodCounts(msgspec.Struct, frozen=True):
    """How many of a Job's pods are where."""

    active: Count
    ready: Count
    succeeded: Count
    failed: Count


class JobView(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A Job as it is shown. Times are milliseconds since 1970; null where they have not come yet."""

    id: str
    project: str
    name: str
    status: Status
    type: Literal["Train", "Interactive"]
    nodes: list[str]
    created_at: Milliseconds
    images: str
    user: str
    current_allocated_gpus: Count = msgspec.field(name="currentAllocatedGPUs")
    requested_gpus: Count = msgspec.field(name="requestedGPUs")
    reason: str | None
    message: str | None
    started_at: Milliseconds | None
    finished_at: Milliseconds | None
    pods: PodCounts
    completed_indexes: Indexes | None
    failed_indexes: Indexes | None
    keep: Annotated[bool, msgspec.Meta(description="Whether the Job is exempt from cleanup.")]
    labels: dict[str, str]
    links: Annotated[dict[str, str], msgspec.Meta(description="Paths below the API's base URL.")]


EXAMPLE = {
    "id": "32201782-a525-4939-9dcb-df6654b0b340",
    "project": "team-a",
    "name": "train-1",
    "status": "Running",
    "type": "Train",
    "nodes": ["ip-10-0-3-17.eu-west-1.compute.internal"],
    "createdAt": 1795510800000,
    "images": "nvcr.io/nvidia/pytorch:26.10-py3",
    "user": "alice",
    "currentAllocatedGPUs": 4,
    "requestedGPUs": 4,
    "reason": None,
    "message": None,
    "startedAt": 1795510801000,
    "finishedAt": None,
    "pods": {"active": 1, "ready": 1, "succeeded": 0, "failed": 0},
    "completedIndexes": None,
    "failedIndexes": None,
    "keep": False,
    "labels": {"sweep": "7"},
    "links": {"self": "/jobs/team-a/train-1"},
}
"""For the OpenAPI document."""


def view(project: str, job: Job, pods: Sequence[Pod]) -> JobView:
    """The view of *job* in *project*; *pods* are the Job's own, or none where they are not needed."""
    reason = reason_of(job, pods)
    status = _status(job, pods)
    meta = job.metadata
    running = [pod for pod in pods if pod.status.phase == "Running"]
    return JobView(
        id=meta.uid,
        project=project,
        name=meta.name,
        status=status,
        type="Interactive" if meta.labels.get(JOB_TYPE_LABEL) == "Interactive" else "Train",
        nodes=sorted({pod.spec.node_name for pod in running if pod.spec.node_name}),
        created_at=milliseconds(meta.creation_timestamp) or 0,
        images=_cut(", ".join(dict.fromkeys(container.image for container in job.spec.template.spec.containers))),
        user=_cut(meta.annotations.get(USER_ANNOTATION, "")),
        current_allocated_gpus=sum(gpus_of(pod.spec.containers) for pod in running),
        requested_gpus=gpus_at_once(job),
        reason=reason.word if reason else None,
        message=(reason.message or None) if reason else None,
        started_at=milliseconds(job.status.start_time),
        finished_at=milliseconds(job.finished_at),
        pods=_counts(job),
        completed_indexes=shown_indexes(job.status.completed_indexes, job),
        failed_indexes=shown_indexes(job.status.failed_indexes, job),
        keep=is_kept(job),
        labels={key: value for key, value in meta.labels.items() if not is_reserved_key(key)},
        links={"self": f"/jobs/{project}/{meta.name}"},
    )


def milliseconds(time: datetime | None) -> int | None:
    """*time* as the API writes it; a time before 1970, which somebody made up, is that of 1970."""
    return None if time is None else max(0, int(time.timestamp() * 1000))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "..."


def _status(job: Job, pods: Sequence[Pod]) -> Status:
    if job.metadata.deletion_timestamp:
        return "Terminating"
    if outcome := job.outcome:
        return outcome
    if job.spec.suspend:
        return "Queued" if QUEUE_LABEL in job.metadata.labels else "Suspended"
    return _status_of_pods(job, [pod for pod in pods if not pod.metadata.deletion_timestamp])


def _status_of_pods(job: Job, pods: Sequence[Pod]) -> Status:
    phases = {pod.status.phase for pod in pods}
    if "Running" in phases or (not pods and job.status.ready):
        return "Running"
    if any(pod.spec.node_name and pod.status.phase == "Pending" and not wait_of(pod) for pod in pods):
        return "ContainerCreating"
    return "Unknown" if phases == {"Unknown"} else "Pending"


def gpus_of(containers: Sequence[Container]) -> int:
    """The GPUs that *containers* ask for together."""
    return sum(amount(container.resources.limits.get(GPU, 0)) for container in containers)


def gpus_at_once(job: Job) -> int:
    """The GPUs that the pods of *job* ask for together."""
    return min(gpus_of(job.spec.template.spec.containers) * _pods_at_once(job), MAX_COUNT)


def _pods_at_once(job: Job) -> int:
    """How many pods ask for GPUs together; without completions, parallelism alone says."""
    parallelism = 1 if job.spec.parallelism is None else job.spec.parallelism
    return parallelism if job.spec.completions is None else min(parallelism, job.spec.completions)


def _counts(job: Job) -> PodCounts:
    status = job.status
    counts = (status.active, status.ready, status.succeeded, status.failed)
    return PodCounts(*(max(0, count or 0) for count in counts))
