"""openapi: GET /openapi.json returns the OpenAPI document that `make openapi` wrote, adapted to this deployment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from chalice.app import Blueprint

from chalicelib import configuration
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.runtime.urls import ROOT, server_url
from chalicelib.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.domain.token_issuer import TokenIssuer

routes = Blueprint(__name__)

DOCUMENT = Path(__file__).parent.parent / "openapi.json"
PLACEHOLDER = "https://api.invalid/researcher/api"
"""The URL in the stored document of what this deployment has at its own."""

OPERATION = Operation(
    summary="Get this document",
    description="Returns the OpenAPI document of this deployment. No token is required.",
    responses={200: SuccessResponse("An OpenAPI 3.1 document.", dict)},
    tag="Service",
)


@routes.route(f"{BASE}/openapi.json", methods=["GET"], name="openapi", **ANY_TYPE)
@endpoint(routes, OPERATION)
def document(request: Request) -> Response:
    """Return the document with the server, the token URL and the sign-in of this deployment."""
    path = request.path.rstrip("/").removesuffix("/openapi.json")
    root = server_url(request.domain, path[: path.find(ROOT) + len(ROOT)])
    adapted = json.loads(DOCUMENT.read_text(encoding="utf-8").replace(PLACEHOLDER, json.dumps(root)[1:-1]))
    adapted["servers"] = [{"url": server_url(request.domain, path), "description": settings().cluster_name}]
    if settings().documentation_url:
        adapted["externalDocs"] = {"description": "Guide and reference", "url": settings().documentation_url}
    schemes = adapted["components"]["securitySchemes"]
    flow = schemes["application"]["flows"]["clientCredentials"]
    flow["tokenUrl"] = settings().token_url or flow["tokenUrl"]
    people = sign_in_schemes(configuration.token_issuers(settings()))
    schemes.update(people)
    for operation in (operation for path in adapted["paths"].values() for operation in path.values()):
        if {"bearer": []} in operation["security"]:
            operation["security"] += [{name: []} for name in people]
    return Response(adapted, headers={"Cache-Control": "public, max-age=300"})


def sign_in_schemes(issuers: Iterable[TokenIssuer]) -> dict[str, dict[str, object]]:
    """Return a security scheme for each of *issuers* with which people sign in: `signIn`, `signIn2` and so on."""
    clients = [(each.issuer, each.sign_in) for each in issuers if each.sign_in]
    return {
        f"signIn{number if number > 1 else ''}": {
            "type": "openIdConnect",
            "openIdConnectUrl": f"{issuer.rstrip('/')}/.well-known/openid-configuration",
            "description": (
                f"Sign in with the client ID `{client.client_id}`, the authorization code flow with PKCE"
                f"{' or the device flow' if client.device_flow else ''}, and the scopes `{' '.join(client.scopes)}`. "
                "`GET /sign-in` returns the same for programs."
            ),
        }
        for number, (issuer, client) in enumerate(clients, 1)
    }
