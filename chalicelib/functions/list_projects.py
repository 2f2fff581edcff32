"""list_projects: GET /projects returns the Projects that the caller may use."""

from __future__ import annotations

from typing import Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib.adapters.oidc.bearer_tokens import authenticate
from chalicelib.functions._projects import projects_of_caller
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.usecases.list_projects import ProjectView  # noqa: TC001 - msgspec reads the annotations at run time

routes = Blueprint(__name__)


class ProjectList(msgspec.Struct, frozen=True):
    """The Projects, sorted by name."""

    data: Annotated[list[ProjectView], msgspec.Meta(description="The Projects, sorted by name.")]


_EXAMPLE = {"data": [{"name": "team-a", "namespace": "researcher-team-a", "createdAt": 1795510800000}]}

OPERATION = Operation(
    summary="List your Projects",
    description="Returns the Projects whose Jobs you may list. Permissions are cached for up to 30 seconds.",
    responses={200: SuccessResponse("Your Projects.", ProjectList, _EXAMPLE)},
    tag="Projects",
)


@routes.route(f"{BASE}/projects", methods=["GET"], name="list_projects", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def list_all(request: Request) -> Response:
    """List the Projects that the caller may use."""
    return Response(ProjectList(projects_of_caller(request)))
