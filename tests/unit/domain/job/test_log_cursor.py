"""Tests of the cursor of a log that is followed."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.job.log_cursor import MAX_CURSOR, MAX_PASSED, LogCursor, encode_cursor, parse_cursor
from chalicelib.domain.job.log_stream import Place

PLACE = Place("2026-11-24T10:00:00.123456789+02:00", 2**63 - 1, 2**63 - 1, 2**32 - 1)


@pytest.mark.parametrize(
    "cursor",
    [
        None,
        LogCursor(1, "a", 0, 0),
        LogCursor(1, "a" * 253, 2**40, 2**31, is_read=True, place=PLACE, passed=(2**32 - 1,) * MAX_PASSED),
    ],
)
def test_round_trip(cursor: LogCursor | None) -> None:
    """A cursor is short enough for a query and a header."""
    text = encode_cursor(cursor)

    assert parse_cursor(text) == cursor
    assert len(text) <= MAX_CURSOR


def encoded(text: str) -> str:
    """Return *text* as the encoding of a cursor."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "Start", "ä", encoded("null"), encoded("{}"), encoded("[" * 1000), encoded('[2,"a",0,0]'),
        encoded('[1,"",0,0]'), encoded('[1,"a",-1,0]'), encoded('[1,"a",0,0,1]'),
        encoded('[1,"a",0,0,false,["now",1,1,0]]'), encoded('[1,"a",0,0,false,["",0,1,0]]'),
        encoded('[1,"a",0,0,false,["2026-11-24T10:00:00Z\\n",1,1,0]]'), encoded('[1,"a",0,0,false,null,[],1]'),
    ],
)  # fmt: skip
def test_invalid(text: str) -> None:
    """Anything else is refused, and the parameter is named."""
    with pytest.raises(MalformedRequest) as raised:
        parse_cursor(text)

    assert raised.value.errors[0].pointer == "/cursor"


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
def test_any_text(text: str) -> None:
    """No text raises another error."""
    with contextlib.suppress(MalformedRequest):
        parse_cursor(text)
