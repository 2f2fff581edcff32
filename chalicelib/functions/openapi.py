"""openapi: GET /openapi.json returns the OpenAPI document that `make openapi` wrote, adapted to this deployment."""

from __future__ import annotations

import json
from pathlib import Path

from chalice.app import Blueprint

from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import BASE, Operation, SuccessResponse
from chalicelib.runtime.urls import ROOT, server_url
from chalicelib.settings import settings

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
    """Return the document with the server and the token URL of this deployment."""
    path = request.path.rstrip("/").removesuffix("/openapi.json")
    root = server_url(request.domain, path[: path.find(ROOT) + len(ROOT)])
    adapted = json.loads(DOCUMENT.read_text(encoding="utf-8").replace(PLACEHOLDER, json.dumps(root)[1:-1]))
    adapted["servers"] = [{"url": server_url(request.domain, path), "description": settings().cluster_name}]
    if settings().documentation_url:
        adapted["externalDocs"] = {"description": "Guide and reference", "url": settings().documentation_url}
    flow = adapted["components"]["securitySchemes"]["application"]["flows"]["clientCredentials"]
    flow["tokenUrl"] = settings().token_url or flow["tokenUrl"]
    return Response(adapted, headers={"Cache-Control": "public, max-age=300"})
