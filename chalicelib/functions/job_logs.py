"""job_logs: GET /jobs/{project}/{name}/logs answers what a pod of the Job printed."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.jobs import CallersJobs
from chalicelib.adapters.kubernetes.pods import CallersPods
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.logs import LogQuery
from chalicelib.domain.names import job_name, project_name
from chalicelib.runtime.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.runtime.operation import BASE, Operation, Success
from chalicelib.settings import settings
from chalicelib.usecases.job_logs import job_log

routes = Blueprint(__name__)

TEXT = "text/plain; charset=utf-8"
POD = "X-Pod-Name"

OPERATION = Operation(
    summary="Read a Job's log",
    description=(
        "The end of what one pod of the Job printed, as text; broken UTF-8 is replaced. Of several pods it is one "
        "that runs rather than one that ended, and then the newest; `X-Pod-Name` says which. A log lives as long as "
        "its pod."
    ),
    query=LogQuery,
    answers={200: Success("The log.", str, "epoch 1 of 3: loss 1.000\n", {POD: "Whose log it is."}, TEXT)},
    errors=(errors.JobNotFound, errors.JobNotStarted, errors.LogGone),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/logs", methods=["GET"], name="job_logs", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def logs(call: Call, project: str, name: str) -> Answer:
    """Reads the log as the caller."""
    query = call.query(LogQuery)
    reach = (cluster.connect(settings()), call.known_caller, call.deadline)
    log = job_log(project_name(project), job_name(name), query, CallersJobs(*reach), CallersPods(*reach))
    return Answer(log.text, 200, {POD: log.pod}, TEXT)
