"""Compression of responses."""

from __future__ import annotations

import gzip

import pytest

from infra.local.compression import MINIMUM_SIZE, compress_response
from infra.local.wire import Headers, HttpResponse

VARY, GZIPPED = ("Vary", "Accept-Encoding"), ("Content-Encoding", "gzip")


@pytest.mark.parametrize(
    ("headers", "length", "accepts", "added"),
    [
        pytest.param([], MINIMUM_SIZE, "br, GZIP;q=0.5", [VARY, GZIPPED], id="large"),
        pytest.param([], MINIMUM_SIZE, "*, gzip;q=0", [VARY], id="gzip not accepted"),
        pytest.param([], MINIMUM_SIZE - 1, "gzip", [], id="small"),
        pytest.param([("Content-Encoding", "br")], MINIMUM_SIZE, "gzip", [], id="already encoded"),
    ],
)
def test_large_responses_are_compressed(headers: Headers, length: int, accepts: str, added: Headers) -> None:
    """A large response is compressed for clients that accept gzip, with a Vary header for caches."""
    response = compress_response(HttpResponse(200, headers, b"a" * length), [("Accept-Encoding", accepts)])

    assert response.headers == [*headers, *added]
    assert len(gzip.decompress(response.body) if GZIPPED in added else response.body) == length
