"""openapi: GET /openapi.json returns the OpenAPI document that `make openapi` wrote, adapted to this deployment."""

from __future__ import annotations

import json
from pathlib import Path

from chalice.app import Blueprint

from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.settings import settings

routes = Blueprint(__name__)

DOCUMENT = Path(__file__).parent.parent / "openapi.json"
LOOPBACK = ("localhost", "127.0.0.1")

OPERATION = Operation(
    summary="Get this document",
    description="Returns the OpenAPI document of this deployment. No token is required.",
    responses={200: SuccessResponse("An OpenAPI 3.1 document.", dict)},
    tag="Service",
)


@routes.route(f"{BASE}/openapi.json", methods=["GET"], name="openapi", **ANY_TYPE)
@endpoint(routes, OPERATION)
def document(request: Request) -> Response:
    """Return the document with the server and the token URL of this deployment."""
    adapted = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    path = request.path.rstrip("/").removesuffix("/openapi.json")
    adapted["servers"] = [{"url": server_url(request.domain, path), "description": settings().cluster_name}]
    if settings().documentation_url:
        adapted["externalDocs"] = {"description": "Guide and reference", "url": settings().documentation_url}
    flow = adapted["components"]["securitySchemes"]["application"]["flows"]["clientCredentials"]
    flow["tokenUrl"] = settings().token_url or flow["tokenUrl"]
    return Response(adapted, headers={"Cache-Control": "public, max-age=300"})


def server_url(domain: str, path: str) -> str:
    """Return the URL of this deployment, absolute for clients outside a browser; only `make run` serves plain HTTP."""
    scheme = "http" if domain.partition(":")[0] in LOOPBACK else "https"
    return f"{scheme}://{domain}{path}" if domain else path
