"""list_all_jobs: GET /jobs returns a page of the Jobs of all Projects of the caller."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.query import JobQuery, resolved
from chalicelib.domain.job.view import EXAMPLE
from chalicelib.domain.names import project_name
from chalicelib.functions._ports import as_caller
from chalicelib.functions._projects import projects_of_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.list_all_jobs import AllJobsPage, list_all_jobs

routes = Blueprint(__name__)

_EXAMPLE = {"data": [EXAMPLE], "nextPageToken": None, "failed": []}

OPERATION = Operation(
    summary="List your Jobs in all Projects",
    description=(
        "Returns the Jobs of all Projects whose Jobs you may list, sorted by Project and name, including Jobs that "
        "were not created with this API; `user=me` selects your own. A Project that cannot be read is named in "
        "`failed`, and the Jobs of the others are returned. A page can be short even if `nextPageToken` is not null."
    ),
    query=JobQuery,
    responses={200: SuccessResponse("A page of Jobs.", AllJobsPage, _EXAMPLE)},
    errors=(errors.InvalidPageToken, errors.PageTokenExpired),
)


@routes.route(f"{BASE}/jobs", methods=["GET"], name="list_all_jobs", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def list_page(request: Request) -> Response:
    """List the Jobs, as the caller."""
    query = resolved(request.query(JobQuery), request.require_caller().subject, datetime.now(UTC))
    projects = [project_name(project.name) for project in projects_of_caller(request)]
    page = list_all_jobs(projects, query, as_caller(request, KubernetesJobs))
    request.notes["failed"] = [failure.project for failure in page.failed]
    linked = [msgspec.structs.replace(each, error=each.error.linked(request.docs_url)) for each in page.failed]
    return Response(msgspec.structs.replace(page, failed=linked))
