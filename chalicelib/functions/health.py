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
    """The API's version, the cluster's name and, with `deep=true`, its Kubernetes version."""

    version: Annotated[str, msgspec.Meta(description="The version of the API.")]
    cluster: Annotated[str, msgspec.Meta(description="The name of the cluster.")]
    kubernetes: Annotated[str | None, msgspec.Meta(description="Its Kubernetes version; null without `deep=true`.")] = (
        None
    )


OPERATION = Operation(
    summary="Check the API's health",
    description=(
        "Returns the version of the API without sending a request to the cluster, and requires no token. With "
        "`deep=true` it requires a token and also returns the cluster's Kubernetes version."
    ),
    query=HealthQuery,
    responses={
        200: SuccessResponse(
            "The API is available.", Health, {"version": __version__, "cluster": "gpu-east", "kubernetes": None}
        )
    },
    errors=(errors.Unauthenticated,),
    tag="Service",
)


@routes.route(f"{BASE}/health", methods=["GET"], name="health", **ANY_TYPE)
@endpoint(routes, OPERATION)
def health(request: Request) -> Response:
    """Return the version, the cluster's name and, if requested, its Kubernetes version."""
    kubernetes = _kubernetes_version(request) if request.query(HealthQuery).deep else None
    return Response(Health(__version__, settings().cluster_name, kubernetes))


def _kubernetes_version(request: Request) -> str:
    # Imported here, because they make a cold start five times as long, and monitors call this function every minute.
    from chalicelib.adapters.kubernetes import cluster  # noqa: PLC0415
    from chalicelib.adapters.oidc.bearer_tokens import authenticate  # noqa: PLC0415

    request.caller = authenticate(request.headers("Authorization"), request.deadline)
    return cluster.connect(settings()).version(request.caller, request.deadline)
