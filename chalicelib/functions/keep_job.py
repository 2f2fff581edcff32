"""keep_job: PUT /jobs/{project}/{name}/keep exempts a Job from cleanup."""

from __future__ import annotations

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
from chalicelib.usecases.keep_job import ERRORS, keep_job

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Keep a Job",
    description=(
        "Exempts the Job from the cleanup of finished Jobs and removes its `ttlSecondsAfterFinished`, so that neither "
        "this API nor the cluster deletes it. A Job can be kept before it has finished. Repeating the request changes "
        "nothing; a DELETE of this path undoes it."
    ),
    responses={200: SuccessResponse("The Job is kept.", JobView, EXAMPLE | {"keep": True})},
    headers=(IF_MATCH,),
    errors=(*ERRORS, *_missing_job.ERRORS),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/keep", methods=["PUT"], name="keep_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def keep(request: Request, project: str, name: str) -> Response:
    """Keep the Job as the caller."""
    version = required_version(request.header("If-Match"))
    jobs = as_caller(request, KubernetesJobs)
    key = project_name(project), job_name(name)
    with _missing_job.explained(request, *key):
        return Response(keep_job(*key, version, jobs))
