"""Compression of answers."""

from __future__ import annotations

import gzip

import pytest

from infra.local.compression import MINIMUM_SIZE, compressed
from infra.local.wire import Headers, HttpResponse

VARY, PACKED = ("Vary", "Accept-Encoding"), ("Content-Encoding", "gzip")


@pytest.mark.parametrize(
    ("headers", "length", "accepts", "added"),
    [
        pytest.param([], MINIMUM_SIZE, "br, GZIP;q=0.5", [VARY, PACKED], id="large"),
        pytest.param([], MINIMUM_SIZE, "*, gzip;q=0", [VARY], id="client that refuses gzip"),
        pytest.param([], MINIMUM_SIZE - 1, "gzip", [], id="small"),
        pytest.param([("Content-Encoding", "br")], MINIMUM_SIZE, "gzip", [], id="encoded already"),
    ],
)
def test_headers_tell_whether(headers: Headers, length: int, accepts: str, added: Headers) -> None:
    """A large answer is compressed for who takes gzip; wherever it depends on that, caches are told."""
    reply = compressed(HttpResponse(200, headers, b"a" * length), [("Accept-Encoding", accepts)])

    assert reply.headers == [*headers, *added]
    assert len(gzip.decompress(reply.body) if PACKED in added else reply.body) == length
