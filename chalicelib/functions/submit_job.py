"""submit_job: POST /jobs makes a Job, exactly once, or shows what it would be."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters import cluster
from chalicelib.adapters.preflight import submitting
from chalicelib.adapters.tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.once import MAX_KEY, IdempotencyKey, Nonce
from chalicelib.domain.submission import Submission, parse_submission
from chalicelib.domain.view import EXAMPLE, JobView
from chalicelib.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.operation import BASE, Header, Operation, Success
from chalicelib.settings import settings
from chalicelib.usecases.submit import preview_job, submit_job

routes = Blueprint(__name__)


class SubmitQuery(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """How to submit."""

    dry_run: Annotated[
        bool, msgspec.Meta(description="Only show the Job as the cluster would store it; nothing is made.")
    ] = False


_PREVIEW = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "train-1", "namespace": "researcher-team-a"},
    "spec": {"parallelism": 1, "completions": 1, "suspend": False},
}

OPERATION = Operation(
    summary="Submit a Job",
    description=(
        "Makes one Job, however often the same request arrives: a repeated `name` or `Idempotency-Key` with the same "
        "body answers the Job that is there, with `Idempotent-Replayed: true`. The promise lasts as long as the Job. "
        "A key makes the name, so it goes without `jobNamePrefix`. A Job whose pods the cluster would never take, by "
        "quota, Pod Security, limits, priority or admission, is refused in its words, and not made."
    ),
    query=SubmitQuery,
    headers=(
        Header(
            "Idempotency-Key",
            "Makes a repeated request find the Job of the first one.",
            "sweep-7-trial-3",
            pattern="^[!-~]([ -~]*[!-~])?$",
            max_length=MAX_KEY,
        ),
    ),
    body=Submission,
    body_example={"job": {"project": "team-a", "image": "nvcr.io/nvidia/pytorch:26.10-py3", "gpu": 4}},
    answers={
        200: Success(
            "With `dryRun`: the Kubernetes Job as it would be stored, or as it was sent if it is there.",
            dict,
            _PREVIEW,
        ),
        201: Success(
            "The Job.",
            JobView,
            EXAMPLE,
            {"Location": "Where the Job is.", "Idempotent-Replayed": "`true` on a replay."},
        ),
    },
    errors=(
        errors.QuotaExceeded,
        errors.RefusedByCluster,
        errors.NameTaken,
        errors.BeingDeleted,
        errors.IdempotencyKeyReused,
    ),
)


@routes.route(f"{BASE}/jobs", methods=["POST"], name="submit_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def submit(call: Call) -> Answer:
    """Submits the Job in the body as the caller."""
    query = call.query(SubmitQuery)
    key = call.header("Idempotency-Key")
    known_by = Nonce(uuid.uuid4().hex) if key is None else IdempotencyKey(key)
    submission = parse_submission(call.document())
    call.notes["project"] = submission.project
    jobs = submitting(settings().preflight, cluster.connect(settings()), call.known_caller, call.deadline)
    if query.dry_run:
        return Answer(preview_job(submission, known_by, call.known_caller, jobs))
    made = submit_job(submission, known_by, call.known_caller, jobs)
    call.notes["name"] = made.job.name
    headers = {"Location": f"{call.path.rstrip('/')}/{made.job.project}/{made.job.name}"}
    return Answer(made.job, 201, headers | ({"Idempotent-Replayed": "true"} if made.replayed else {}))
