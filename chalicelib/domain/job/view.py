"""The view of a Job that the API returns: Run:ai's fields and additional ones.

Every Job that can be read has a view, whatever its fields contain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from chalicelib.domain.job.lifecycle import is_kept
from chalicelib.domain.job.outcome import outcome
from chalicelib.domain.job.outcome_record import ExitCode  # noqa: TC001 - msgspec reads the annotations at run time
from chalicelib.domain.job.start import first_run, queued_seconds
from chalicelib.domain.job.status import Status, assess
from chalicelib.domain.kubernetes.completion_indexes import truncated_indexes
from chalicelib.domain.kubernetes.jobs import GPU
from chalicelib.domain.kubernetes.quantities import amount
from chalicelib.domain.labels import JOB_TYPE_LABEL, USER_ANNOTATION, is_reserved_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chalicelib.domain.kubernetes.jobs import Container, Job
    from chalicelib.domain.kubernetes.pods import Pod

Count = Annotated[int, msgspec.Meta(ge=0)]
MAX_COUNT = 2**53 - 1
"""The largest integer that every JSON parser reads exactly; a Job can request 2,147,483,647 pods with many GPUs."""
MAX_TEXT = 4096
"""Characters of the images and the user; Kubernetes does not limit the length of an image."""
Milliseconds = Annotated[int, msgspec.Meta(ge=0, extra_json_schema={"format": "int64"})]
"""Milliseconds since 1970; the format keeps generated clients from using 32 bits."""


class PodCounts(msgspec.Struct, frozen=True):
    """The number of pods of a Job in each state."""

    active: Annotated[Count, msgspec.Meta(description="Pods that have not finished.")]
    ready: Annotated[Count, msgspec.Meta(description="Active pods that are ready.")]
    succeeded: Annotated[Count, msgspec.Meta(description="Pods that succeeded.")]
    failed: Annotated[Count, msgspec.Meta(description="Pods that failed.")]


class JobView(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A Job. Times are in milliseconds since 1970, or null if the event has not happened yet."""

    id: Annotated[str, msgspec.Meta(description="The UID of the Kubernetes Job.")]
    project: Annotated[str, msgspec.Meta(description="The Project of the Job.")]
    name: Annotated[str, msgspec.Meta(description="The name, unique in the Project.")]
    status: Annotated[Status, msgspec.Meta(description="The status.")]
    type: Annotated[Literal["Train", "Interactive"], msgspec.Meta(description="The type.")]
    nodes: Annotated[list[str], msgspec.Meta(description="The nodes of its running pods.")]
    created_at: Annotated[Milliseconds, msgspec.Meta(description="When it was created.")]
    images: Annotated[str, msgspec.Meta(description="The images of its containers, separated by commas.")]
    user: Annotated[str, msgspec.Meta(description="The subject that submitted it.")]
    current_allocated_gpus: Annotated[Count, msgspec.Meta(description="GPUs of its running pods.")] = msgspec.field(
        name="currentAllocatedGPUs"
    )
    requested_gpus: Annotated[Count, msgspec.Meta(description="GPUs of the pods that run at once.")] = msgspec.field(
        name="requestedGPUs"
    )
    reason: Annotated[str | None, msgspec.Meta(description="Why it is in this status, in one word, or null.")]
    message: Annotated[str | None, msgspec.Meta(description="The details of `reason`.")]
    exit_code: Annotated[
        ExitCode | None,
        msgspec.Meta(description="The exit code of the container that decided its end, or null if it is not known."),
    ]
    failed_pod: Annotated[str | None, msgspec.Meta(description="The pod that decided its failure, or null.")]
    started_at: Annotated[
        Milliseconds | None,
        msgspec.Meta(
            description="When a pod first ran, since the Job was last resumed; null if that is unknown, as for a "
            "Job in a list in the first minute after its end."
        ),
    ]
    queued_seconds: Annotated[
        Count | None,
        msgspec.Meta(
            description="Seconds from `createdAt`, or from when you resumed it, to `startedAt`; null if that is."
        ),
    ]
    finished_at: Annotated[Milliseconds | None, msgspec.Meta(description="When it succeeded or failed.")]
    pods: Annotated[PodCounts, msgspec.Meta(description="The number of its pods in each state.")]
    completed_indexes: Annotated[
        str | None, msgspec.Meta(description="Indexes that succeeded, such as `1,3-5,7`; a long list ends with `,...`.")
    ]
    failed_indexes: Annotated[
        str | None, msgspec.Meta(description="Indexes that failed, such as `1,3-5,7`; a long list ends with `,...`.")
    ]
    keep: Annotated[bool, msgspec.Meta(description="Whether the Job is exempt from cleanup.")]
    labels: Annotated[dict[str, str], msgspec.Meta(description="The labels that its user set.")]
    links: Annotated[dict[str, str], msgspec.Meta(description="Paths below the API's base URL.")]
    submission: Annotated[
        dict[str, Any] | msgspec.UnsetType | None,
        msgspec.Meta(
            description="Only with `include=submission`: the request that created the Job, or null if that was not "
            "this API. Values of variables and words of the command are `***` unless you may create Jobs here."
        ),
    ] = msgspec.UNSET


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
    "exitCode": None,
    "failedPod": None,
    "startedAt": 1795510842000,
    "queuedSeconds": 42,
    "finishedAt": None,
    "pods": {"active": 1, "ready": 1, "succeeded": 0, "failed": 0},
    "completedIndexes": None,
    "failedIndexes": None,
    "keep": False,
    "labels": {"sweep": "7"},
    "links": {"self": "/jobs/team-a/train-1"},
}
"""The example in the OpenAPI document."""


def view(project: str, job: Job, pods: Sequence[Pod]) -> JobView:
    """Return the view of *job*; *pods* are the pods that it owns, or empty if the view does not need them."""
    status, reason, _ = assess(job, pods)
    start = first_run(job, pods)
    end = outcome(job, pods)
    meta = job.metadata
    scheduled = [pod for pod in pods if pod.spec.node_name and not pod.has_ended]
    return JobView(
        id=meta.uid,
        project=project,
        name=meta.name,
        status=status,
        type="Interactive" if meta.labels.get(JOB_TYPE_LABEL) == "Interactive" else "Train",
        nodes=sorted({pod.spec.node_name for pod in scheduled if pod.spec.node_name}),
        created_at=milliseconds(meta.creation_timestamp) or 0,
        images=_truncate(", ".join(dict.fromkeys(container.image for container in job.spec.template.spec.containers))),
        user=_truncate(meta.annotations.get(USER_ANNOTATION, "")),
        current_allocated_gpus=sum(gpus_of(pod.spec.containers) for pod in scheduled),
        requested_gpus=gpus_at_once(job),
        reason=reason.reason if reason else None,
        message=(reason.message or None) if reason else None,
        exit_code=end.exit_code,
        failed_pod=end.failed_pod,
        started_at=milliseconds(start),
        queued_seconds=queued_seconds(job, start),
        finished_at=milliseconds(job.finished_at),
        pods=_counts(job),
        completed_indexes=truncated_indexes(job.status.completed_indexes, job),
        failed_indexes=truncated_indexes(job.status.failed_indexes, job),
        keep=is_kept(job),
        labels={key: value for key, value in meta.labels.items() if not is_reserved_key(key)},
        links={"self": f"/jobs/{project}/{meta.name}"},
    )


def milliseconds(time: datetime | None) -> int | None:
    """Return *time* in milliseconds since 1970, and 0 for any time before."""
    return None if time is None else max(0, int(time.timestamp() * 1000))


def _truncate(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "..."


def gpus_of(containers: Sequence[Container]) -> int:
    """Return the number of GPUs that *containers* request together."""
    return sum(amount(container.resources.limits.get(GPU, 0)) for container in containers)


def gpus_at_once(job: Job) -> int:
    """Return the number of GPUs that the pods of *job* request at the same time."""
    return min(gpus_of(job.spec.template.spec.containers) * _pods_at_once(job), MAX_COUNT)


def _pods_at_once(job: Job) -> int:
    """Return how many pods can run at the same time: parallelism, limited by completions if that is set."""
    parallelism = 1 if job.spec.parallelism is None else job.spec.parallelism
    return parallelism if job.spec.completions is None else min(parallelism, job.spec.completions)


def _counts(job: Job) -> PodCounts:
    status = job.status
    counts = (status.active, status.ready, status.succeeded, status.failed)
    return PodCounts(*(max(0, count or 0) for count in counts))
