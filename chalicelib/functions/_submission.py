"""What the functions that make a Job share: how they are asked, and what they answer."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.preflight import jobs_with_preflight
from chalicelib.domain import errors
from chalicelib.domain.job.view import EXAMPLE, JobView
from chalicelib.domain.submission.idempotency import MAX_KEY, IdempotencyKey, UniqueRequest
from chalicelib.runtime.http import Response
from chalicelib.runtime.operation import Header, SuccessResponse
from chalicelib.settings import settings
from chalicelib.usecases.submit_job import preview_job

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
    from chalicelib.domain.submission.idempotency import DeduplicationKey
    from chalicelib.domain.submission.model import Submission
    from chalicelib.runtime.http import Request
    from chalicelib.usecases.ports import Jobs
    from chalicelib.usecases.submit_job import Submitted


class SubmitQuery(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """How to submit."""

    dry_run: Annotated[
        bool, msgspec.Meta(description="Only show the Job as the cluster would store it; nothing is made.")
    ] = False


IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "Makes a repeated request find the Job of the first one.",
    "sweep-7-trial-3",
    pattern="^[!-~]([ -~]*[!-~])?$",
    max_length=MAX_KEY,
)
PREVIEWED = SuccessResponse(
    "With `dryRun`: the Kubernetes Job as it would be stored, or as it was sent if it is there.",
    dict,
    {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train-1", "namespace": "researcher-team-a"},
        "spec": {"parallelism": 1, "completions": 1, "suspend": False},
    },
)
CREATED = SuccessResponse(
    "The Job.",
    JobView,
    EXAMPLE,
    {"Location": "Where the Job is.", "Idempotent-Replayed": "`true` on a replay."},
)
ERRORS = (
    errors.QuotaExceeded,
    errors.RefusedByCluster,
    errors.NameTaken,
    errors.JobBeingDeleted,
)


def submitting_jobs(request: Request) -> KubernetesJobs:
    """Return the caller's Jobs, with the preflight that the settings ask for."""
    connected = cluster.connect(settings())
    return jobs_with_preflight(settings().preflight, connected, request.require_caller(), request.deadline)


def preview_response(
    request: Request, submission: Submission, deduplication_key: DeduplicationKey, jobs: Jobs
) -> Response:
    """What would become of *submission*."""
    return Response(preview_job(submission, deduplication_key, request.require_caller(), jobs))


def created_response(request: Request, made: Submitted) -> Response:
    """The answer that shows the Job, and where it is."""
    request.notes["name"] = made.job.name
    place = f"{request.path.partition('/jobs')[0]}/jobs/{made.job.project}/{made.job.name}"
    return Response(made.job, 201, {"Location": place} | ({"Idempotent-Replayed": "true"} if made.replayed else {}))


def deduplication_key(request: Request) -> DeduplicationKey:
    """What makes the request known again: its Idempotency-Key, else only itself."""
    key, nonce = request.header("Idempotency-Key"), uuid.uuid4().hex
    return UniqueRequest(nonce) if key is None else IdempotencyKey(key, nonce)
