"""list_jobs: GET /jobs/{project} answers a page of the Project's Jobs."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.kubernetes.jobs import CallersJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.view import EXAMPLE
from chalicelib.domain.names import project_name
from chalicelib.runtime.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.runtime.operation import BASE, Operation, Success
from chalicelib.settings import settings
from chalicelib.usecases.list_jobs import JobPage, JobQuery, list_jobs

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="List a Project's Jobs",
    description=(
        "Jobs in the order of their names, also those made by other means than this API. `status` is filtered after "
        "the cluster cut the page, so a page may be short or empty while `nextPageToken` is not null."
    ),
    query=JobQuery,
    answers={200: Success("A page of Jobs.", JobPage, {"data": [EXAMPLE], "nextPageToken": None})},
    errors=(errors.InvalidPageToken, errors.PageTokenExpired),
)


@routes.route(f"{BASE}/jobs/{{project}}", methods=["GET"], name="list_jobs", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def list_page(call: Call, project: str) -> Answer:
    """Lists the Project's Jobs as the caller."""
    query = call.query(JobQuery)
    jobs = CallersJobs(cluster.connect(settings()), call.known_caller, call.deadline)
    return Answer(list_jobs(project_name(project), query, jobs))
