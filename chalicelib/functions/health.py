"""health: GET /health returns the API's version and its cluster; with `deep=true` it also checks the cluster."""

from __future__ import annotations

from typing import Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib import __version__
from chalicelib.domain import errors
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.settings import settings

routes = Blueprint(__name__)


class HealthQuery(msgspec.Struct, forbid_unknown_fields=True):
    """The query of a health check."""

    deep: Annotated[bool, msgspec.Meta(description="Check the cluster, too. This requires a token.")] = False


class Health(msgspec.Struct, frozen=True):
    """The API's version, the cluster's name and, with `deep=true`, what the cluster says to the caller."""

    version: Annotated[str, msgspec.Meta(description="The version of the API.")]
    cluster: Annotated[str, msgspec.Meta(description="The name of the cluster.")]
    kubernetes: Annotated[str | None, msgspec.Meta(description="Its Kubernetes version; null without `deep=true`.")] = (
        None
    )
    groups: Annotated[
        list[str] | None,
        msgspec.Meta(
            description=(
                "The groups of the token that have access to a Project of this cluster; null without `deep=true`. If "
                "it is empty, no Project has been given to any of your groups: ask your platform engineers."
            ),
            examples=[["team-a"]],
        ),
    ] = None


OPERATION = Operation(
    summary="Check the API's health",
    description=(
        "Returns the version of the API without sending a request to the cluster, and requires no token. With "
        "`deep=true` it requires a token, and also returns the cluster's Kubernetes version and those of your groups "
        "that have access to a Project."
    ),
    query=HealthQuery,
    responses={
        200: SuccessResponse(
            "The API is available.",
            Health,
            {"version": __version__, "cluster": "gpu-east", "kubernetes": None, "groups": None},
        )
    },
    errors=(errors.Unauthenticated,),
    tag="Service",
)


@routes.route(f"{BASE}/health", methods=["GET"], name="health", **ANY_TYPE)
@endpoint(routes, OPERATION)
def health(request: Request) -> Response:
    """Return the version, the cluster's name and, if requested, what the cluster says to the caller."""
    shallow = Health(__version__, settings().cluster_name)
    return Response(_with_cluster(shallow, request) if request.query(HealthQuery).deep else shallow)


def _with_cluster(health: Health, request: Request) -> Health:
    # Imported here, because they make a cold start five times as long, and monitors call this function every minute.
    from chalicelib.adapters.kubernetes import cluster  # noqa: PLC0415
    from chalicelib.adapters.oidc.bearer_tokens import authenticate  # noqa: PLC0415

    request.caller = authenticate(request.headers("Authorization"), request.deadline)
    connection = cluster.connect(settings())
    return msgspec.structs.replace(
        health,
        kubernetes=connection.version(request.caller, request.deadline),
        groups=connection.groups_of(request.caller, request.deadline),
    )
