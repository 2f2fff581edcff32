"""Compresses answers as API Gateway does when the API has a minimumCompressionSize."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from infra.local.wire import Reply

if TYPE_CHECKING:
    from infra.local.wire import Headers


def compressed(reply: Reply, request_headers: Headers, minimum_size: int) -> Reply:
    """*reply* in gzip if it is large enough, not encoded yet, and the client takes gzip."""
    if len(reply.body) < minimum_size or reply.header("content-encoding") is not None:
        return reply
    headers = _with_vary(reply.headers)
    if not accepts_gzip(request_headers):
        return Reply(reply.status, headers, reply.body)
    return Reply(reply.status, [*headers, ("Content-Encoding", "gzip")], gzip.compress(reply.body, 6, mtime=0))


def accepts_gzip(headers: Headers) -> bool:
    """Whether the client takes gzip (RFC 9110, section 12.5.3); `q=0` means that it does not."""
    weights = dict(
        _coding(part)
        for name, value in headers
        if name.lower() == "accept-encoding"
        for part in value.lower().split(",")
    )
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _coding(part: str) -> tuple[str, float]:
    name, _, parameter = part.partition(";")
    _, _, weight = parameter.partition("=")
    try:
        return name.strip(), float(weight) if weight else 1.0
    except ValueError:
        return name.strip(), 0.0


def _with_vary(headers: Headers) -> Headers:
    given = [value for name, value in headers if name.lower() == "vary"]
    if any("accept-encoding" in value.lower() for value in given):
        return headers
    rest = [(name, value) for name, value in headers if name.lower() != "vary"]
    return [*rest, ("Vary", ", ".join([*given, "Accept-Encoding"]))]
