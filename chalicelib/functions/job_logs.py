"""job_logs: GET /jobs/{project}/{name}/logs returns the log of one of the Job's pods."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.kubernetes.pods import KubernetesPods
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.logs import LogQuery
from chalicelib.domain.names import job_name, project_name
from chalicelib.functions._missing_job import ERRORS, explained
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.job_logs import job_log

routes = Blueprint(__name__)

TEXT = "text/plain; charset=utf-8"
POD = "X-Pod-Name"

OPERATION = Operation(
    summary="Get a Job's log",
    description=(
        "Returns the end of the log of one of the Job's pods, as text; invalid UTF-8 is replaced. If the Job has "
        "several pods, running pods are preferred, and then the newest one; `X-Pod-Name` is the name of the pod. The "
        "log is deleted with its pod."
    ),
    query=LogQuery,
    responses={
        200: SuccessResponse("The log.", str, "epoch 1 of 3: loss 1.000\n", {POD: "The name of the pod."}, TEXT)
    },
    errors=(*ERRORS, errors.JobNotStarted, errors.LogGone, errors.NodeUnavailable),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/logs", methods=["GET"], name="job_logs", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def logs(request: Request, project: str, name: str) -> Response:
    """Get the log, as the caller."""
    query = request.query(LogQuery)
    jobs, pods = as_caller(request, KubernetesJobs), as_caller(request, KubernetesPods)
    key = project_name(project), job_name(name)
    with explained(request, *key):
        log = job_log(*key, query, jobs, pods)
    return Response(log.text, 200, {POD: log.pod}, TEXT)
