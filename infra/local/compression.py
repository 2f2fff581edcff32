"""Compression of responses, as API Gateway does it for an API with a MinimumCompressionSize."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from werkzeug.http import parse_accept_header

from infra.local.wire import HttpResponse

if TYPE_CHECKING:
    from infra.local.wire import Headers

MINIMUM_SIZE = 1024


def compress_response(response: HttpResponse, request_headers: Headers) -> HttpResponse:
    """Return *response* gzipped if it is large, not encoded yet and the client accepts gzip; add Vary for caches."""
    if len(response.body) < MINIMUM_SIZE or response.header("content-encoding") is not None:
        return response
    headers = [*response.headers, ("Vary", "Accept-Encoding")]
    accepted = ",".join(value for name, value in request_headers if name.lower() == "accept-encoding")
    if not parse_accept_header(accepted).quality("gzip"):
        return HttpResponse(response.status, headers, response.body)
    return HttpResponse(
        response.status, [*headers, ("Content-Encoding", "gzip")], gzip.compress(response.body, 6, mtime=0)
    )
