"""unkeep_job: DELETE /jobs/{project}/{name}/keep makes a Job subject to cleanup again."""

from __future__ import annotations

from datetime import UTC, datetime

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain.job.etags import required_version
from chalicelib.domain.job.view import EXAMPLE, JobView
from chalicelib.domain.names import job_name, project_name
from chalicelib.functions import _missing_job
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, IF_MATCH, Operation, SuccessResponse
from chalicelib.usecases.keep_job import ERRORS, unkeep_job

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Stop keeping a Job",
    description=(
        "Makes the Job subject to cleanup again and restores its `ttlSecondsAfterFinished`. If that time is over "
        "already, the Job keeps another day, so that the cleanup can store its Receipt first. Repeating the request "
        "changes nothing."
    ),
    responses={200: SuccessResponse("The Job is subject to cleanup again.", JobView, EXAMPLE)},
    headers=(IF_MATCH,),
    errors=(*ERRORS, *_missing_job.ERRORS),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/keep", methods=["DELETE"], name="unkeep_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def unkeep(request: Request, project: str, name: str) -> Response:
    """Stop keeping the Job as the caller."""
    version = required_version(request.header("If-Match"))
    jobs = as_caller(request, KubernetesJobs)
    key = project_name(project), job_name(name)
    with _missing_job.explained(request, *key):
        return Response(unkeep_job(*key, version, datetime.now(UTC), jobs))
