"""suspend_job: POST /jobs/{project}/{name}/suspend terminates a Job's pods and keeps the Job."""

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
from chalicelib.usecases.suspend_job import ERRORS, suspend_job

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Suspend a Job",
    description=(
        "Suspends the Job: its pods are terminated, and their GPUs are released when the pods have terminated. "
        "Suspending a suspended Job changes nothing."
    ),
    headers=(IF_MATCH,),
    responses={
        202: SuccessResponse(
            "The Job is suspended; its pods are being terminated.",
            JobView,
            EXAMPLE | {"status": "Suspended", "nodes": [], "currentAllocatedGPUs": 0},
        )
    },
    errors=(*ERRORS, *_missing_job.ERRORS),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/suspend", methods=["POST"], name="suspend_job", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def suspend(request: Request, project: str, name: str) -> Response:
    """Suspend the Job, as the caller."""
    version = required_version(request.header("If-Match"))
    jobs = as_caller(request, KubernetesJobs)
    key = project_name(project), job_name(name)
    with _missing_job.explained(request, *key):
        return Response(suspend_job(*key, version, jobs), 202)
