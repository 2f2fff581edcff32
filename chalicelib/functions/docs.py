"""docs: GET /researcher/api/docs returns the documentation page, which loads nothing from other hosts."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from chalice.app import Blueprint

from chalicelib.runtime.http import ANY_TYPE, Request, Response, endpoint
from chalicelib.runtime.operation import Operation, SuccessResponse
from chalicelib.settings import settings

routes = Blueprint(__name__)

ASSETS = Path(__file__).parent.parent / "assets"
"""Filled by infra/packaging/docs_assets.py."""
PAGE = "index.html"

OPERATION = Operation(
    summary="The documentation page",
    description="Swagger UI with the OpenAPI document of this deployment. No token is required.",
    responses={200: SuccessResponse("A web page.")},
    tag="Service",
)


@routes.route("/researcher/api/docs", methods=["GET"], name="docs", **ANY_TYPE)
@endpoint(routes, OPERATION)
def page(request: Request) -> Response:
    """Return the page; its URLs are relative, so a path with a trailing slash is redirected."""
    if request.path.endswith("/"):
        return Response(None, 308, {"Location": "../docs"})
    headers = {
        "Content-Security-Policy": policy(settings().token_url),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
    }
    return Response((ASSETS / PAGE).read_text(encoding="utf-8"), 200, headers, "text/html; charset=utf-8")


def policy(token_url: str) -> str:
    """Return the Content-Security-Policy: the page's own origin, and that of *token_url*, for Authorize."""
    issuer = urlsplit(token_url)
    origin = f" {issuer.scheme}://{issuer.netloc}" if issuer.netloc else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'{origin}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
