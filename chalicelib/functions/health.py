"""health: GET /health says which version serves which cluster; `?deep=true` asks the cluster, too."""

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
    """How far to look."""

    deep: Annotated[bool, msgspec.Meta(description="Ask the cluster, too; needs a token.")] = False


class Health(msgspec.Struct, frozen=True):
    """The API's version, the cluster's name and, when it was asked, its Kubernetes version."""

    version: str
    cluster: str
    kubernetes: str | None = None


OPERATION = Operation(
    summary="Health",
    description="Answers without a token and without asking anybody; with `deep=true` it takes both.",
    query=HealthQuery,
    responses={
        200: SuccessResponse(
            "The API is up.", Health, {"version": __version__, "cluster": "gpu-east", "kubernetes": None}
        )
    },
    errors=(errors.Unauthenticated,),
    tag="Service",
)


@routes.route(f"{BASE}/health", methods=["GET"], name="health", **ANY_TYPE)
@endpoint(routes, OPERATION)
def health(request: Request) -> Response:
    """Answers what serves here."""
    kubernetes = _kubernetes_version(request) if request.query(HealthQuery).deep else None
    return Response(Health(__version__, settings().cluster_name, kubernetes))


def _kubernetes_version(request: Request) -> str:
    # Only here, not above: they make a cold start of health five times as dear, which monitors ask every minute.
    from chalicelib.adapters.kubernetes import cluster  # noqa: PLC0415
    from chalicelib.adapters.oidc.bearer_tokens import authenticate  # noqa: PLC0415

    request.caller = authenticate(request.headers("Authorization"), request.deadline)
    return cluster.connect(settings()).version(request.caller, request.deadline)
