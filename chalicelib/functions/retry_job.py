"""retry_job: POST /jobs/{project}/{name}/retry runs the failed indexes of a Job again, as a new Job."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.names import job_name, project_name
from chalicelib.functions import _missing_job
from chalicelib.functions._submission import CREATED, ERRORS, created_response, submitting_jobs
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation
from chalicelib.usecases.resubmit_job import retry_job

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Retry the failed indexes of a Job",
    description=(
        "Creates an indexed Job with as many indexes as the finished one did not complete. The environment variable "
        "`RESEARCHER_INDEX_MAP` lists the original indexes: with `1,4,7`, the pod of index 2 works on 7. A Job has one "
        "retry: while it exists, further requests, also of other callers, return it. A retry can be retried, too."
    ),
    responses={201: CREATED},
    errors=(
        *ERRORS,
        errors.InvalidJob,
        *_missing_job.ERRORS,
        errors.JobNotFinished,
        errors.JobNotRetriable,
        errors.SubmissionUnknown,
    ),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/retry", methods=["POST"], name="retry_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def retry(request: Request, project: str, name: str) -> Response:
    """Submit the retry, as the caller."""
    request.notes["of"] = name
    jobs = submitting_jobs(request)
    key = project_name(project), job_name(name)
    with _missing_job.explained(request, *key):
        return created_response(request, retry_job(*key, request.require_caller(), jobs))
