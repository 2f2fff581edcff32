"""The Receipt: what is kept of a Job when it is cleaned up. Pure, and total: however odd the Job, it has one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.finished.redaction import redact_spec, redact_submission
from chalicelib.domain.job.gpu_usage import usage
from chalicelib.domain.job.view import Count, Milliseconds, view
from chalicelib.domain.kubernetes import lenient_decoding
from chalicelib.domain.kubernetes.jobs import Job, Manifest
from chalicelib.domain.labels import SUBMISSION_ANNOTATION
from chalicelib.domain.parsing.strict_json import json_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.names import ProjectName

MAX_NAMED = 1000
"""Nodes and images that are named."""
MAX_LOG = 8192
"""Characters of a log's end."""

Masked = Annotated[
    dict[str, Any] | None, msgspec.Meta(description="Values of variables and words of the command are `***`.")
]


class Receipt(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What is kept of a Job. Times are milliseconds since 1970; null where nobody knows any more."""

    id: str
    project: str
    name: str
    user: str
    outcome: Literal["Succeeded", "Failed", "Unknown"]
    reason: str | None
    message: str | None
    attempts: Annotated[Count, msgspec.Meta(description="Pods that ended, well or not.")]
    nodes: list[str]
    image_digests: list[str]
    created_at: Milliseconds
    started_at: Milliseconds | None
    finished_at: Milliseconds | None
    gpu_seconds: Annotated[float, msgspec.Meta(ge=0)] | None
    gpu_seconds_from: Annotated[
        Literal["pods", "job"], msgspec.Meta(description="`job`: its time times its GPUs, as not every pod is known.")
    ]
    submission: Masked
    spec: Masked
    log: Annotated[str | None, msgspec.Meta(description="The last lines of one pod.")]


EXAMPLE = {
    "id": "32201782-a525-4939-9dcb-df6654b0b340",
    "project": "team-a",
    "name": "train-1",
    "user": "alice",
    "outcome": "Failed",
    "reason": "OOMKilled",
    "message": "The container ended with exit code 137.",
    "attempts": 2,
    "nodes": ["ip-10-0-3-17.eu-west-1.compute.internal"],
    "imageDigests": ["nvcr.io/nvidia/pytorch@sha256:0f2ab1c46a0b4d5b9a3554d9e1c5f7a1e3c25b2f7d0d4e4b8a1f6c9d2e3b4a5c"],
    "createdAt": 1795510800000,
    "startedAt": 1795510801000,
    "finishedAt": 1795514401000,
    "gpuSeconds": 14400.0,
    "gpuSecondsFrom": "pods",
    "submission": {"project": "team-a", "name": "train-1", "image": "nvcr.io/nvidia/pytorch:26.10-py3", "gpu": 4},
    "spec": {"parallelism": 1, "completions": 1, "backoffLimit": 6},
    "log": "step 41900 loss 2.13\n",
}
"""For the OpenAPI document."""


def build_receipt(project: ProjectName, manifest: Manifest, pods: Sequence[Pod], log: str | None) -> Receipt:
    """The Receipt of the Job that is stored as *manifest*; *pods* are those of its own that are still there."""
    job = lenient_decoding.convert(manifest, Job)
    shown = view(project, job, pods)
    used = usage(job, pods)
    statuses = [status for pod in pods for status in pod.status.container_statuses]
    return Receipt(
        id=shown.id,
        project=project,
        name=shown.name,
        user=shown.user,
        outcome=job.outcome or "Unknown",
        reason=shown.reason,
        message=shown.message,
        attempts=shown.pods.succeeded + shown.pods.failed,
        nodes=_named(pod.spec.node_name for pod in pods),
        image_digests=_named(status.image_id for status in statuses),
        created_at=shown.created_at,
        started_at=shown.started_at,
        finished_at=shown.finished_at,
        gpu_seconds=used.gpu_seconds,
        gpu_seconds_from=used.source,
        submission=redact_submission(_submission(job)),
        spec=redact_spec(manifest.get("spec")),
        log=log[-MAX_LOG:] if log else None,
    )


def most_informative_pod(pods: Sequence[Pod]) -> Pod | None:
    """The pod whose log says most of how the Job ended: the last one that failed, or else the last one."""
    failed = [pod for pod in pods if pod.status.phase == "Failed"]
    return max(failed or pods, key=lambda pod: str(pod.metadata.creation_timestamp), default=None)


def object_key(receipt: Receipt) -> str:
    """Where in the bucket *receipt* is kept: by the day on which the Job finished."""
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=receipt.finished_at or 0)
    return f"receipts/{receipt.project}/{day:%Y/%m/%d}/{receipt.name}-{receipt.id}.json"


def latest_key(project: str, name: str) -> str:
    """Where the newest Receipt of a Job of that name is kept once more, to be found by the name alone."""
    return f"receipts/{project}/latest/{name}.json"


def _submission(job: Job) -> Any:  # noqa: ANN401 - JSON, or whatever somebody wrote in its place
    try:
        return json_document(job.metadata.annotations.get(SUBMISSION_ANNOTATION, "null").encode())
    except MalformedRequest:
        return None


def _named(found: Iterable[str | None]) -> list[str]:
    return sorted({one for one in found if one})[:MAX_NAMED]
