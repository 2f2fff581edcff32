"""The Receipt of a Job: a record in S3 that remains after the cleanup deletes the Job.

Every Job that can be read has a Receipt, whatever its fields contain.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from chalicelib.domain.finished.redaction import redact_spec, redact_submission
from chalicelib.domain.job.containers import main_container
from chalicelib.domain.job.gpu_usage import known_usage
from chalicelib.domain.job.outcome_record import ExitCode  # noqa: TC001 - msgspec reads the annotations at run time
from chalicelib.domain.job.status_reason import failed_container_name, first_failure
from chalicelib.domain.job.view import Count, Milliseconds, milliseconds, view
from chalicelib.domain.kubernetes import lenient_decoding
from chalicelib.domain.kubernetes.jobs import Job, Manifest
from chalicelib.domain.submission.stored import stored_submission

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import ProjectName

MAX_NAMED = 1000
"""Maximum number of nodes and of image digests in a Receipt."""
MAX_LOG = 8192
"""Characters of the log tail."""

Redacted = Annotated[
    dict[str, Any] | None,
    msgspec.Meta(description="Values of variables and arguments of the command are `***`."),
]


class Receipt(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The record of a deleted Job. Times are in milliseconds since 1970, or null if they are not known."""

    id: Annotated[str, msgspec.Meta(description="The UID of the Kubernetes Job.")]
    project: Annotated[str, msgspec.Meta(description="The Project of the Job.")]
    name: Annotated[str, msgspec.Meta(description="The name of the Job.")]
    user: Annotated[str, msgspec.Meta(description="The subject that submitted it.")]
    outcome: Annotated[Literal["Succeeded", "Failed", "Unknown"], msgspec.Meta(description="How it ended.")]
    reason: Annotated[str | None, msgspec.Meta(description="Why it failed, in one word.")]
    message: Annotated[str | None, msgspec.Meta(description="The details of `reason`.")]
    exit_code: Annotated[
        ExitCode | None,
        msgspec.Meta(description="The exit code of the container that decided its end, or null if it is not known."),
    ] = None
    failed_pod: Annotated[str | None, msgspec.Meta(description="The pod that decided its failure, or null.")] = None
    attempts: Annotated[Count, msgspec.Meta(description="Pods that succeeded or failed.")]
    nodes: Annotated[list[str], msgspec.Meta(description="The nodes of its pods.")]
    image_digests: Annotated[list[str], msgspec.Meta(description="The images of its pods, with their digests.")]
    created_at: Annotated[Milliseconds, msgspec.Meta(description="When it was created.")]
    started_at: Annotated[
        Milliseconds | None,
        msgspec.Meta(description="When a pod first ran or, if that is unknown, when the cluster started the Job."),
    ]
    finished_at: Annotated[Milliseconds | None, msgspec.Meta(description="When it succeeded or failed.")]
    gpu_seconds: Annotated[
        Annotated[float, msgspec.Meta(ge=0)] | None,
        msgspec.Meta(description="GPUs times seconds of its pods."),
    ]
    gpu_seconds_is_lower_bound: Annotated[
        bool, msgspec.Meta(description="Whether the Job may have used more, because not all of its pods are known.")
    ] = False
    submission: Redacted
    spec: Redacted
    log: Annotated[str | None, msgspec.Meta(description="The log tail of one pod.")]


EXAMPLE = {
    "id": "32201782-a525-4939-9dcb-df6654b0b340",
    "project": "team-a",
    "name": "train-1",
    "user": "alice",
    "outcome": "Failed",
    "reason": "OOMKilled",
    "message": "The container ended with exit code 137.",
    "exitCode": 137,
    "failedPod": "train-1-x7k2p",
    "attempts": 2,
    "nodes": ["ip-10-0-3-17.eu-west-1.compute.internal"],
    "imageDigests": ["nvcr.io/nvidia/pytorch@sha256:0f2ab1c46a0b4d5b9a3554d9e1c5f7a1e3c25b2f7d0d4e4b8a1f6c9d2e3b4a5c"],
    "createdAt": 1795510800000,
    "startedAt": 1795510801000,
    "finishedAt": 1795514401000,
    "gpuSeconds": 14400.0,
    "gpuSecondsIsLowerBound": False,
    "submission": {"project": "team-a", "name": "train-1", "image": "nvcr.io/nvidia/pytorch:26.10-py3", "gpu": 4},
    "spec": {"parallelism": 1, "completions": 1, "backoffLimit": 6},
    "log": "step 41900 loss 2.13\n",
}
"""The example in the OpenAPI document."""


def build_receipt(project: ProjectName, manifest: Manifest, pods: Sequence[Pod], log: str | None) -> Receipt:
    """Return the Receipt of the Job *manifest*; *pods* are those of its pods that still exist."""
    job = lenient_decoding.convert(manifest, Job)
    job_view = view(project, job, pods)
    gpu_usage = known_usage(job, pods)
    statuses = [status for pod in pods for status in pod.status.container_statuses]
    return Receipt(
        id=job_view.id,
        project=project,
        name=job_view.name,
        user=job_view.user,
        outcome=job.outcome or "Unknown",
        reason=job_view.reason,
        message=job_view.message,
        exit_code=job_view.exit_code,
        failed_pod=job_view.failed_pod,
        attempts=job_view.pods.succeeded + job_view.pods.failed,
        nodes=_distinct(pod.spec.node_name for pod in pods),
        image_digests=_distinct(status.image_id for status in statuses),
        created_at=job_view.created_at,
        started_at=milliseconds(job.status.start_time) if job_view.started_at is None else job_view.started_at,
        finished_at=job_view.finished_at,
        gpu_seconds=gpu_usage.gpu_seconds,
        gpu_seconds_is_lower_bound=gpu_usage.is_lower_bound,
        submission=redact_submission(stored_submission(job)),
        spec=redact_spec(manifest.get("spec")),
        log=log[-MAX_LOG:] if log else None,
    )


def logged_container(job: Job, pods: Sequence[Pod]) -> tuple[Pod, str] | None:
    """Return the pod and the container whose log explains the end of *job*, or None if it has no pods.

    That is the container that failed in the pod which explains the failure, else the main container of the last pod.
    """
    pod = first_failure(job, pods) or max(pods, key=lambda pod: str(pod.metadata.creation_timestamp), default=None)
    if pod is None:
        return None
    return pod, failed_container_name(job, pod) or main_container(job, pod)


def object_key(receipt: Receipt) -> str:
    """Return the S3 key of *receipt*, which contains the day on which the Job finished."""
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=receipt.finished_at or 0)
    return f"receipts/{receipt.project}/{day:%Y/%m/%d}/{receipt.name}-{receipt.id}.json"


def latest_key(project: str, name: str) -> str:
    """Return the S3 key of a second copy of the latest Receipt for a Job name, for lookup by name."""
    return f"receipts/{project}/latest/{name}.json"


def _distinct(names: Iterable[str | None]) -> list[str]:
    return sorted({name for name in names if name})[:MAX_NAMED]
