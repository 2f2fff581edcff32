"""Compression of answers."""

from __future__ import annotations

import gzip

import pytest

from infra.local.compression import accepts_gzip, compressed
from infra.local.wire import Reply

GZIP = [("Accept-Encoding", "gzip")]
LARGE = Reply(200, [("Content-Type", "text/plain")], b"a" * 2000)


class TestCompressed:
    """What leaves compressed."""

    def test_large_answer_is_compressed(self) -> None:
        """The client that takes gzip gets it, and caches are told."""
        reply = compressed(LARGE, GZIP, 1024)

        assert gzip.decompress(reply.body) == LARGE.body
        assert reply.header("content-encoding") == "gzip"
        assert reply.header("vary") == "Accept-Encoding"

    def test_small_answer_stays(self) -> None:
        """Below the minimum nothing changes."""
        assert compressed(Reply(200, [], b"a" * 1023), GZIP, 1024) == Reply(200, [], b"a" * 1023)

    def test_encoded_answer_stays(self) -> None:
        """What the function compressed itself is not compressed again."""
        reply = Reply(200, [("content-encoding", "br")], LARGE.body)

        assert compressed(reply, GZIP, 1024) == reply

    def test_client_without_gzip_gets_it_plain(self) -> None:
        """The body stays, and caches are told that it depends."""
        reply = compressed(LARGE, [], 1024)

        assert reply.body == LARGE.body
        assert reply.header("vary") == "Accept-Encoding"

    def test_vary_of_the_function_is_kept(self) -> None:
        """Ours is added to it."""
        reply = compressed(Reply(200, [("Vary", "Origin")], LARGE.body), GZIP, 1024)

        assert [value for name, value in reply.headers if name == "Vary"] == ["Origin, Accept-Encoding"]


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
