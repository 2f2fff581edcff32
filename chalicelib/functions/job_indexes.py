"""job_indexes: GET /jobs/{project}/{name}/indexes returns a page of the indexes of an Indexed Job."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.kubernetes.pods import KubernetesPods
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.job.index_list import INDEX_EXAMPLE, IndexQuery
from chalicelib.domain.names import job_name, project_name
from chalicelib.functions._missing_job import ERRORS, explained
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.job_indexes import IndexPage, job_indexes

routes = Blueprint(__name__)

OPERATION = Operation(
    summary="List a Job's indexes",
    description=(
        "Returns the indexes of an Indexed Job in ascending order, each with its last attempt: exit code, reason, pod, "
        "node and times. These are null when the pod is gone. The list of another Job is empty."
    ),
    query=IndexQuery,
    responses={200: SuccessResponse("A page of indexes.", IndexPage, {"data": [INDEX_EXAMPLE], "nextPageToken": None})},
    errors=(*ERRORS, errors.InvalidPageToken),
)


@routes.route(f"{BASE}/jobs/{{project}}/{{name}}/indexes", methods=["GET"], name="job_indexes", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def indexes(request: Request, project: str, name: str) -> Response:
    """List the indexes, as the caller."""
    query = request.query(IndexQuery)
    jobs, pods = as_caller(request, KubernetesJobs), as_caller(request, KubernetesPods)
    key = project_name(project), job_name(name)
    with explained(request, *key):
        return Response(job_indexes(*key, query, jobs, pods))
