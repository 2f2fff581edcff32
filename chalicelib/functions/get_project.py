"""get_project: GET /projects/{project} returns a Project."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.adapters.kubernetes.jobs import KubernetesJobs
from chalicelib.adapters.kubernetes.project import KubernetesProject
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.domain import errors
from chalicelib.domain.names import project_name
from chalicelib.domain.project import ProjectDetail
from chalicelib.functions._ports import as_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.get_project import get_project

routes = Blueprint(__name__)

_EXAMPLE = {
    "name": "team-a",
    "namespace": "researcher-team-a",
    "createdAt": 1795510800000,
    "verbs": ["create", "delete", "get", "list", "patch", "watch"],
    "gpus": {"quota": 16, "requested": 12, "allocated": 8},
    "jobs": {"running": 2, "pending": 1, "suspended": 0},
    "quotas": [
        {
            "name": "researcher-project",
            "hard": {"count/jobs.batch": "2k", "pods": "500", "requests.nvidia.com/gpu": "16"},
            "used": {"count/jobs.batch": "7", "pods": "3", "requests.nvidia.com/gpu": "12"},
        }
    ],
    "complete": True,
}

OPERATION = Operation(
    summary="Get a Project",
    description=(
        "Returns the Project's quotas and their use, the GPUs that its Jobs request and hold, the number of running "
        "and pending Jobs, and your permissions for its Jobs. Permissions are cached for up to 30 seconds."
    ),
    responses={200: SuccessResponse("The Project.", ProjectDetail, _EXAMPLE)},
    errors=(errors.Forbidden,),
    tag="Projects",
)


@routes.route(f"{BASE}/projects/{{project}}", methods=["GET"], name="get_project", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def get(request: Request, project: str) -> Response:
    """Get the Project, as the caller."""
    projects, jobs = as_caller(request, KubernetesProject), as_caller(request, KubernetesJobs)
    return Response(get_project(project_name(project), projects, jobs))
