"""job_events: GET /jobs/{project}/{name}/events returns the Kubernetes events of the Job and its pods."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.kubernetes.pods import KubernetesPods
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain.job.event_list import EVENT_EXAMPLE
from chalicelib.domain.names import job_name, project_name
from chalicelib.functions._missing_job import ERRORS, explained
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.job_diagnosis import EventPage, job_events

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="List a Job's events",
    description=(
        "Returns the Kubernetes events of the Job and of up to 16 of its pods, the latest last. Repeated events of an "
        "object are aggregated, with a `count`. The cluster deletes events, usually after an hour."
    ),
    responses={200: SuccessResponse("The events.", EventPage, {"data": [EVENT_EXAMPLE]})},
    errors=ERRORS,
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/events", methods=["GET"], name="job_events", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def events(request: Request, project: str, name: str) -> Response:
    """List the events, as the caller."""
    jobs, pods = as_caller(request, KubernetesJobs), as_caller(request, KubernetesPods)
    key = project_name(project), job_name(name)
    with explained(request, *key):
        return Response(job_events(*key, jobs, pods))
