"""docs_asset: GET /researcher/api/docs/{asset} returns a script or a style sheet of the documentation page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from chalice.app import Blueprint

from chalicelib.domain.errors import RouteNotFound
from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import Operation, SuccessResponse

routes = Blueprint(__name__)

ASSETS = Path(__file__).parent.parent / "assets"
"""Filled by infra/packaging/docs_assets.py; each name has a hash of the content."""
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}

OPERATION = Operation(
    summary="A file of the documentation page",
    description="Scripts and style sheets, under names that change with their content. No token is required.",
    responses={200: SuccessResponse("The file.")},
    errors=(RouteNotFound,),
    tag="Service",
)


@routes.route("/researcher/api/docs/{asset}", methods=["GET"], name="docs_asset", **ANY_TYPE)
@endpoint(routes, OPERATION)
def file(request: Request, asset: str) -> Response:
    """Return the file."""
    del request
    found = assets().get(asset)
    if found is None:
        raise RouteNotFound("The documentation page has no file with this name. Reload the page.")
    return Response(found.read_text(encoding="utf-8"), 200, IMMUTABLE, TYPES[found.suffix])


@cache
def assets() -> dict[str, Path]:
    """Return the files by name, so that a name from a request never becomes a path."""
    return {path.name: path for path in ASSETS.iterdir() if path.suffix in TYPES}
