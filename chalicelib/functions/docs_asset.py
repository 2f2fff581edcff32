"""docs_asset: GET /researcher/api/docs/{asset} answers a script or a style sheet of the documentation page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from chalice.app import Blueprint

from chalicelib.domain.errors import RouteNotFound
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import Operation, SuccessResponse

routes = Blueprint(__name__)

ASSETS = Path(__file__).parent.parent / "assets"
"""Filled by infra/packaging/docs_assets.py; the hash in each name changes with the content."""
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}

OPERATION = Operation(
    summary="A file of the documentation page",
    description="Scripts and style sheets by names that change with their content. Needs no token.",
    responses={200: SuccessResponse("The file.")},
    errors=(RouteNotFound,),
    tag="Service",
)


@routes.route("/researcher/api/docs/{asset}", methods=["GET"], name="docs_asset", **ANY_TYPE)
@endpoint(routes, OPERATION)
def file(request: Request, asset: str) -> Response:
    """Answers the file."""
    del request
    found = assets().get(asset)
    if found is None:
        raise RouteNotFound("The documentation page has no such file. Load the page again.")
    return Response(found.read_text(encoding="utf-8"), 200, FOR_EVER, TYPES[found.suffix])


@cache
def assets() -> dict[str, Path]:
    """The files by name: whatever else a request asks for is not looked up in any folder."""
    return {path.name: path for path in ASSETS.iterdir() if path.suffix in TYPES}
