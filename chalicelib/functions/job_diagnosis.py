"""job_diagnosis: GET /jobs/{project}/{name}/diagnosis returns why the Job is in its status."""

from __future__ import annotations

from datetime import UTC, datetime

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.kubernetes.pods import KubernetesPods
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain.diagnosis.diagnosis import DIAGNOSIS_EXAMPLE, Diagnosis
from chalicelib.domain.names import job_name, project_name
from chalicelib.functions._missing_job import ERRORS, explained
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.job_diagnosis import diagnose_job

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="Diagnose a Job",
    description=(
        "Returns why the Job is in its status: one cause from a fixed list, the evidence for it, and the remedy. It is "
        "determined from the Job, its pods and their events. The cluster deletes events, usually after an hour; the "
        "diagnosis may then be less specific."
    ),
    responses={200: SuccessResponse("The diagnosis.", Diagnosis, DIAGNOSIS_EXAMPLE)},
    errors=ERRORS,
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/diagnosis", methods=["GET"], name="job_diagnosis", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def diagnosis(request: Request, project: str, name: str) -> Response:
    """Diagnose the Job, as the caller."""
    jobs, pods = as_caller(request, KubernetesJobs), as_caller(request, KubernetesPods)
    key = project_name(project), job_name(name)
    with explained(request, *key):
        return Response(diagnose_job(*key, datetime.now(UTC), jobs, pods))
