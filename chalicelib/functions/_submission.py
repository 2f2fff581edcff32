"""The parameters, responses and errors that the functions that create a Job share."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.preflight import jobs_with_preflight
from chalicelib.domain import errors
from chalicelib.domain.job.view import EXAMPLE, JobView
from chalicelib.domain.submission.deduplication_key import MAX_KEY, IdempotencyKey, UniqueRequest
from chalicelib.runtime.http import Response
from chalicelib.runtime.operation import Header, SuccessResponse
from chalicelib.settings import settings
from chalicelib.usecases.submit_job import preview_job

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
    from chalicelib.domain.submission.deduplication_key import DeduplicationKey
    from chalicelib.domain.submission.model import Submission
    from chalicelib.runtime.http import Request
    from chalicelib.usecases.ports import Jobs
    from chalicelib.usecases.submit_job import Submitted


class SubmitQuery(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The query of a submission."""

    dry_run: Annotated[
        bool,
        msgspec.Meta(
            description="Create nothing: return 200 with the Kubernetes Job as the cluster would store it; if it "
            "already exists, as it was submitted."
        ),
    ] = False
    """Its 200 is not declared: from two successful responses, client generators take the type of the lower status."""


IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "A key that identifies this request: a repeated request with the same key and body returns the first one's Job.",
    "sweep-7-trial-3",
    pattern="^[!-~]([ -~]*[!-~])?$",
    max_length=MAX_KEY,
)
CREATED = SuccessResponse(
    "The Job.",
    JobView,
    EXAMPLE,
    {
        "Location": "The path of the Job.",
        "Idempotent-Replayed": "`true` if an earlier delivery of the same request created the Job.",
    },
)
ERRORS = (
    errors.QuotaExceeded,
    errors.RefusedByCluster,
    errors.NameTaken,
    errors.JobBeingDeleted,
)


def submitting_jobs(request: Request) -> KubernetesJobs:
    """Return the adapter that creates Jobs as the caller, with the preflight of the settings."""
    connection = cluster.connect(settings())
    return jobs_with_preflight(settings().preflight, connection, request.require_caller(), request.deadline)


def preview_response(
    request: Request, submission: Submission, deduplication_key: DeduplicationKey, jobs: Jobs
) -> Response:
    """Return the response to a dry run of *submission*."""
    return Response(preview_job(submission, deduplication_key, request.require_caller(), jobs))


def created_response(request: Request, submitted: Submitted) -> Response:
    """Return the response with the *submitted* Job, and log its name."""
    job = submitted.job
    request.notes["name"] = job.name
    location = f"{request.path.partition('/jobs')[0]}/jobs/{job.project}/{job.name}"
    return Response(job, 201, {"Location": location} | ({"Idempotent-Replayed": "true"} if submitted.replayed else {}))


def deduplication_key(request: Request) -> DeduplicationKey:
    """Return the key by which a repeated request is recognized: its Idempotency-Key, or a unique one without it."""
    key, nonce = request.header("Idempotency-Key"), uuid.uuid4().hex
    return UniqueRequest(nonce) if key is None else IdempotencyKey(key, nonce)
