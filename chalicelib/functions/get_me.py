"""get_me: GET /me returns who the caller is, and which Projects the caller may use."""

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


class Me(msgspec.Struct, frozen=True):
    """The caller, according to the token."""

    subject: Annotated[str, msgspec.Meta(description="The subject of your token: `user` of the Jobs that you submit.")]
    groups: Annotated[
        list[str], msgspec.Meta(description="The groups in your token, which decide what you may do; sorted.")
    ]
    projects: Annotated[list[ProjectView], msgspec.Meta(description="Your Projects, sorted by name.")]


_EXAMPLE = {
    "subject": "alice",
    "groups": ["team-a"],
    "projects": [{"name": "team-a", "namespace": "researcher-team-a", "createdAt": 1795510800000}],
}

OPERATION = Operation(
    summary="Get the caller",
    description=(
        "Returns your subject and groups, as this API reads them from your token, and the Projects whose Jobs you may "
        "list. Without a Project, ask your platform engineers whether one of your groups is bound to it."
    ),
    responses={200: SuccessResponse("The caller.", Me, _EXAMPLE)},
    tag="Projects",
)


@routes.route(f"{BASE}/me", methods=["GET"], name="get_me", **ANY_TYPE)
@endpoint(routes, OPERATION, authenticate)
def get(request: Request) -> Response:
    """Get the caller."""
    caller = request.require_caller()
    return Response(Me(caller.subject, sorted(caller.groups), projects_of_caller(request)))
