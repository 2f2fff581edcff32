"""Compression of answers."""

from __future__ import annotations

import gzip

import pytest

from infra.local.compression import accepts_gzip, compressed
from infra.local.wire import Headers, Reply

GZIP = [("Accept-Encoding", "gzip")]


class TestCompressed:
    """What leaves compressed."""

    @pytest.mark.parametrize(
        ("headers", "length", "accepts", "added"),
        [
            pytest.param([], 1024, GZIP, {"vary": "Accept-Encoding", "content-encoding": "gzip"}, id="large"),
            pytest.param([], 1024, [], {"vary": "Accept-Encoding"}, id="client without gzip"),
            pytest.param([("Vary", "Origin")], 1024, [], {"vary": "Origin, Accept-Encoding"}, id="a Vary of its own"),
            pytest.param([], 1023, GZIP, {}, id="small"),
            pytest.param([("content-encoding", "br")], 1024, GZIP, {"content-encoding": "br"}, id="encoded already"),
        ],
    )
    def test_headers_tell_whether(self, headers: Headers, length: int, accepts: Headers, added: dict[str, str]) -> None:
        """A large answer is compressed for who takes gzip; wherever it depends on that, caches are told."""
        reply = compressed(Reply(200, headers, b"a" * length), accepts, 1024)

        assert {name.lower(): value for name, value in reply.headers} == added
        assert len(gzip.decompress(reply.body) if reply.header("content-encoding") == "gzip" else reply.body) == length


class TestAcceptsGzip:
    """The Accept-Encoding header."""

    @pytest.mark.parametrize(
        ("value", "accepts"),
        [
            pytest.param("gzip, deflate, br", True, id="list"),
            pytest.param("GZIP;q=0.5", True, id="weight"),
            pytest.param("*", True, id="any"),
            pytest.param("gzip;q=0", False, id="refused"),
            pytest.param("*, gzip; q=0.000", False, id="refused by name"),
            pytest.param("br", False, id="another"),
            pytest.param("gzip;q=x", False, id="odd weight"),
            pytest.param("", False, id="empty"),
        ],
    )
    def test_weight_decides(self, value: str, *, accepts: bool) -> None:
        """A coding with weight 0 is refused."""
        assert accepts_gzip([("accept-encoding", value)]) is accepts
