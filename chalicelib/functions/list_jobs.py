"""list_jobs: GET /jobs/{project} returns a page of the Project's Jobs."""

from __future__ import annotations

from datetime import UTC, datetime

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.query import JobQuery, resolved
from chalicelib.domain.job.view import EXAMPLE
from chalicelib.domain.names import project_name
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.list_jobs import JobPage, list_jobs

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="List a Project's Jobs",
    description=(
        "Returns the Project's Jobs sorted by name, including Jobs that were not created with this API. All filters "
        "must match. A page can be short even if `nextPageToken` is not null, but it is not empty while more Jobs "
        "match, unless the search took too long."
    ),
    query=JobQuery,
    responses={200: SuccessResponse("A page of Jobs.", JobPage, {"data": [EXAMPLE], "nextPageToken": None})},
    errors=(errors.InvalidPageToken, errors.PageTokenExpired),
)


@routes.route(f"{BASE}/jobs/{{project}}", methods=["GET"], name="list_jobs", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def list_page(request: Request, project: str) -> Response:
    """List the Project's Jobs, as the caller."""
    query = resolved(request.query(JobQuery), request.require_caller().subject, datetime.now(UTC))
    jobs = as_caller(request, KubernetesJobs)
    return Response(list_jobs(project_name(project), query, jobs))
