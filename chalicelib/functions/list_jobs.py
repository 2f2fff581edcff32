"""list_jobs: GET /jobs/{project} returns a page of the Project's Jobs."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.query import ListQuery, resolved
from chalicelib.domain.job.view import EXAMPLE
from chalicelib.domain.names import project_name
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.list_jobs import JobPage, await_jobs

routes = Blueprint(__name__)

LOOK_AGAIN_SECONDS = 2.0
"""Between two lists of a wait. A sweep takes minutes, and a watch would first send all of its Jobs again."""

OPERATION = Operation(
    summary="List a Project's Jobs",
    description=(
        "Returns the Project's Jobs sorted by name, including Jobs that were not created with this API. All filters "
        "must match. A page can be short even if `nextPageToken` is not null, but it is not empty while more Jobs "
        "match, unless the search took too long. With `until=finished` the response is sent as soon as all Jobs have "
        "finished, and at the latest after `wait` seconds: repeat the request until `unfinished` is 0."
    ),
    query=ListQuery,
    responses={200: SuccessResponse("A page of Jobs.", JobPage, {"data": [EXAMPLE], "nextPageToken": None})},
    errors=(errors.InvalidPageToken, errors.PageTokenExpired),
)


@routes.route(f"{BASE}/jobs/{{project}}", methods=["GET"], name="list_jobs", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def list_page(request: Request, project: str) -> Response:
    """List the Project's Jobs, as the caller."""
    query = resolved(request.query(ListQuery), request.require_caller().subject, datetime.now(UTC))
    wait_end = request.extend_deadline(query.wait)

    def pause() -> bool:
        time.sleep(min(LOOK_AGAIN_SECONDS, wait_end.remaining))
        return wait_end.remaining > 0

    jobs = as_caller(request, KubernetesJobs)
    return Response(await_jobs(project_name(project), query, jobs, pause))
