"""resume_job: POST /jobs/{project}/{name}/resume resumes a suspended Job."""

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
from chalicelib.usecases.suspend_job import ERRORS, resume_job

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Resume a Job",
    description=(
        "Resumes a suspended Job: new pods are created, which start from the beginning. "
        "Resuming a Job that is not suspended changes nothing."
    ),
    headers=(IF_MATCH,),
    responses={
        202: SuccessResponse(
            "The Job is resumed; its pods are being created.",
            JobView,
            EXAMPLE | {"status": "Pending", "nodes": [], "currentAllocatedGPUs": 0},
        )
    },
    errors=(*ERRORS, *_missing_job.ERRORS),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/resume", methods=["POST"], name="resume_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def resume(request: Request, project: str, name: str) -> Response:
    """Resume the Job, as the caller."""
    version = required_version(request.header("If-Match"))
    jobs = as_caller(request, KubernetesJobs)
    key = project_name(project), job_name(name)
    with _missing_job.explained(request, *key):
        return Response(resume_job(*key, version, jobs), 202)
