"""submit_job: POST /jobs creates a Job exactly once, or previews it in a dry run."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.submission.model import Submission, parse_submission
from chalicelib.functions._submission import (
    CREATED,
    ERRORS,
    IDEMPOTENCY_KEY,
    SubmitQuery,
    created_response,
    deduplication_key,
    preview_response,
    submitting_jobs,
)
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation
from chalicelib.usecases.submit_job import submit_job

routes = Blueprint(__name__)

_TRAIN = {"project": "team-a", "image": "nvcr.io/nvidia/pytorch:26.10-py3", "gpu": 4}

OPERATION = Operation(
    summary="Submit a Job",
    description=(
        "Creates a Job exactly once: a repeated request with the same `name` or `Idempotency-Key` and the same body "
        "returns the existing Job, with `Idempotent-Replayed: true`, as long as the Job exists. Without `name`, the "
        "key determines the Job's name after `jobNamePrefix`. A Job whose pods the cluster "
        "would never admit, because of quota, Pod Security, limits, priority or admission control, is rejected with "
        "the cluster's message."
    ),
    query=SubmitQuery,
    headers=(IDEMPOTENCY_KEY,),
    body=Submission,
    body_examples={
        "A single Job": {"job": {"name": "train-1", **_TRAIN}},
        "An array of 8": {
            "job": {"name": "sweep-1", **_TRAIN, "gpu": 1, "indexed": True, "completions": 8, "parallelism": 4}
        },
        "Multi-node": {
            "job": {"name": "ddp-1", **_TRAIN, "nodes": 2, "command": "torchrun --nproc-per-node=4 train.py"}
        },
        "With a volume": {"job": {"name": "data-1", **_TRAIN, "pvc": [{"name": "datasets", "path": "/data"}]}},
    },
    responses={201: CREATED},
    errors=(*ERRORS, errors.IdempotencyKeyReused),
)


@routes.route(f"{BASE}/jobs", methods=["POST"], name="submit_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def submit(request: Request) -> Response:
    """Submit the Job in the body, as the caller."""
    query = request.query(SubmitQuery)
    key = deduplication_key(request)
    submission = parse_submission(request.document(literals=True))
    request.notes["project"] = submission.project
    jobs = submitting_jobs(request)
    if query.dry_run:
        return preview_response(request, submission, key, jobs)
    return created_response(request, submit_job(submission, key, request.require_caller(), jobs))
