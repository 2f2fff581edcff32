"""health: GET /health says which version serves which cluster; `?deep=true` asks the cluster, too."""

from __future__ import annotations

from typing import Annotated

import msgspec
from chalice.app import Blueprint

from chalicelib import __version__
from chalicelib.domain import errors
from chalicelib.runtime.http import ANY_TYPE, Answer, Call, endpoint
from chalicelib.runtime.operation import BASE, Operation, Success
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
    answers={
        200: Success("The API is up.", Health, {"version": __version__, "cluster": "gpu-east", "kubernetes": None})
    },
    errors=(errors.Unauthenticated,),
    tag="Service",
)


@routes.route(f"{BASE}/health", methods=["GET"], name="health", **ANY_TYPE)
@endpoint(routes, OPERATION)
def health(call: Call) -> Answer:
    """Answers what serves here."""
    kubernetes = _kubernetes_version(call) if call.query(HealthQuery).deep else None
    return Answer(Health(__version__, settings().cluster_name, kubernetes))


def _kubernetes_version(call: Call) -> str:
    # Only here, not above: they make a cold start of health five times as dear, which monitors ask every minute.
    from chalicelib.adapters.kubernetes import cluster  # noqa: PLC0415
    from chalicelib.adapters.oidc.bearer_tokens import authenticate  # noqa: PLC0415

    call.caller = authenticate(call.headers("Authorization"), call.deadline)
    return cluster.connect(settings()).version(call.caller, call.deadline)
