"""clone_job: POST /jobs/{project}/{name}/clone submits a Job again, with changes."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.names import job_name, project_name
from chalicelib.domain.submission.resubmission import CloneRequest, SubmissionPatch
from chalicelib.functions import _missing_job
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
from chalicelib.runtime.operation import BASE, JSON, MERGE_PATCH, Operation
from chalicelib.usecases.resubmit_job import clone_job, cloned_submission

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Clone a Job",
    description=(
        "Creates a Job from the submission of this one. The body is a merge patch (RFC 7396) of that submission: its "
        "fields replace those of the original, null removes a field, and `{}` changes nothing. The clone is created in "
        "the same Project, with a generated name unless the patch sets `name`. `Idempotency-Key` and `dryRun` work as "
        "for a submission."
    ),
    query=SubmitQuery,
    headers=(IDEMPOTENCY_KEY,),
    body=SubmissionPatch,
    body_types=(JSON, MERGE_PATCH),
    body_examples={
        "Another learning rate": {"name": "train-2", "environment": {"LEARNING_RATE": "0.001"}, "memory": None}
    },
    responses={201: CREATED},
    errors=(*ERRORS, *_missing_job.ERRORS, errors.SubmissionUnknown, errors.IdempotencyKeyReused),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/clone", methods=["POST"], name="clone_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def clone(request: Request, project: str, name: str) -> Response:
    """Submit the changed Job, as the caller."""
    query = request.query(SubmitQuery)
    key = deduplication_key(request)
    request.notes["of"] = name
    jobs = submitting_jobs(request)
    patch = request.document(OPERATION.body_types, literals=True)
    clone_request = CloneRequest(project_name(project), job_name(name), patch)
    with _missing_job.explained(request, clone_request.project, clone_request.name):
        if query.dry_run:
            return preview_response(request, cloned_submission(clone_request, key, jobs), key, jobs)
        return created_response(request, clone_job(clone_request, key, request.require_caller(), jobs))
