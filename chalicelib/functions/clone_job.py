"""clone_job: POST /jobs/{project}/{name}/clone makes a Job like one that is there, with what is to be different."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.names import job_name, project_name
from chalicelib.domain.submission.resubmission import CloneRequest
from chalicelib.functions._submission import (
    CREATED,
    ERRORS,
    IDEMPOTENCY_KEY,
    PREVIEWED,
    SubmitQuery,
    created_response,
    deduplication_key,
    preview_response,
    submitting_jobs,
)
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation
from chalicelib.usecases.resubmit_job import clone_job, cloned_submission

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Clone a Job",
    description=(
        "Makes a Job of the submission that made this one. The body is a merge patch of it (RFC 7396): its fields "
        "replace the original's, null takes one away, `{}` changes nothing. The clone gets a name of its own unless "
        "the patch sets one, and stays in the Project. `Idempotency-Key` and `dryRun` are those of a submission."
    ),
    query=SubmitQuery,
    headers=(IDEMPOTENCY_KEY,),
    body=dict,
    body_example={"environment": {"LEARNING_RATE": "0.001"}, "memory": None},
    responses={200: PREVIEWED, 201: CREATED},
    errors=(*ERRORS, errors.JobNotFound, errors.SubmissionUnknown, errors.IdempotencyKeyReused),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/clone", methods=["POST"], name="clone_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def clone(request: Request, project: str, name: str) -> Response:
    """Submits the changed Job as the caller."""
    query = request.query(SubmitQuery)
    known = deduplication_key(request)
    request.notes["of"] = name
    jobs = submitting_jobs(request)
    wanted = CloneRequest(project_name(project), job_name(name), request.document())
    if query.dry_run:
        return preview_response(request, cloned_submission(wanted, known, jobs), known, jobs)
    return created_response(request, clone_job(wanted, known, request.require_caller(), jobs))
