"""list_projects: GET /projects answers the Projects the caller may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.kubernetes import cluster
from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.settings import settings
from chalicelib.usecases.list_projects import ProjectView, list_projects

if TYPE_CHECKING:
    from chalicelib.domain.names import ProjectName

routes = Blueprint(__name__)


class ProjectList(msgspec.Struct, frozen=True):
    """The Projects, by name."""

    data: list[ProjectView]


_EXAMPLE = {"data": [{"name": "team-a", "namespace": "researcher-team-a", "createdAt": 1795510800000}]}

OPERATION = Operation(
    summary="List your Projects",
    description="The Projects whose Jobs you may list, by the cluster's own verdict of the last 30 seconds.",
    responses={200: SuccessResponse("Your Projects.", ProjectList, _EXAMPLE)},
    tag="Projects",
)


@routes.route(f"{BASE}/projects", methods=["GET"], name="list_projects", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def list_all(request: Request) -> Response:
    """Lists the Projects that the caller may use."""
    connected = cluster.connect(settings())

    def may_use(project: ProjectName) -> bool:
        return connected.may_list_jobs(project, request.require_caller(), request.deadline)

    return Response(ProjectList(list_projects(connected.namespaces(request.deadline), may_use)))
