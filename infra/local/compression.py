"""Compresses answers as API Gateway does for an API with a MinimumCompressionSize."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from werkzeug.http import parse_accept_header

from infra.local.wire import HttpResponse

if TYPE_CHECKING:
    from infra.local.wire import Headers

MINIMUM_SIZE = 1024


def compressed(reply: HttpResponse, request_headers: Headers) -> HttpResponse:
    """*reply* in gzip if it is large enough, not encoded yet, and the client takes gzip; caches are told so."""
    if len(reply.body) < MINIMUM_SIZE or reply.header("content-encoding") is not None:
        return reply
    headers = [*reply.headers, ("Vary", "Accept-Encoding")]
    accepted = ",".join(value for name, value in request_headers if name.lower() == "accept-encoding")
    if not parse_accept_header(accepted).quality("gzip"):
        return HttpResponse(reply.status, headers, reply.body)
    return HttpResponse(reply.status, [*headers, ("Content-Encoding", "gzip")], gzip.compress(reply.body, 6, mtime=0))
