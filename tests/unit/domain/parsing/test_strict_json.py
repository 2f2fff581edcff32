"""JSON and query parameters, read strictly."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import FieldError, MalformedRequest
from chalicelib.domain.parsing.strict_json import MAX_DEPTH, field_error, json_document, query_parameters
from chalicelib.domain.parsing.strict_yaml import yaml_document

if TYPE_CHECKING:
    from collections.abc import Callable


class Query(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """A query of every kind of parameter."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    dry_run: bool = False
    ratio: float = 1.0
    job_type: Literal["Train", "Interactive"] | None = None
    user: str | None = None


class Deep(msgspec.Struct):
    """A document to be wrong in."""

    name: str
    inner: list[Deep] = []
    by_name: dict[str, int] = {}


def reads(read: Callable[[bytes], object], text: bytes) -> bool:
    """Whether *read* takes *text*."""
    try:
        read(text)
    except MalformedRequest:
        return False
    return True


def refusals(given: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Place and rule of everything that is refused in the query."""
    with pytest.raises(MalformedRequest) as refused:
        query_parameters(given, Query)
    return [(one.pointer, one.message) for one in refused.value.errors]


class TestJsonDocument:
    """A body of strict JSON."""

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (b"{}", {}),
            (b' {"a": [1, 2.5, true, null, "\xc3\xa4"]}\n', {"a": [1, 2.5, True, None, "ä"]}),
            (b'"\\ud83d\\ude00"', "😀"),
            (b'{"a": {"a": 1}, "b": {"a": 2}}', {"a": {"a": 1}, "b": {"a": 2}}),
            (b"[" * 32 + b"1" + b"]" * 32, None),
        ],
        ids=["empty", "values", "surrogate pair", "same name in two objects", "nested"],
    )
    def test_json_is_taken(self, body: bytes, expected: object) -> None:
        """What RFC 8259 calls JSON, in UTF-8."""
        found = json_document(body)

        assert expected in (None, found)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"{", id="cut off"),
            pytest.param(b"{} {}", id="two documents"),
            pytest.param(b"NaN", id="not a number"),
            pytest.param(b"1e999", id="number that becomes infinity"),
            pytest.param(b"9" * 5000, id="more digits than Python reads"),
            pytest.param(b'{"a": 1, "a": 2}', id="name twice"),
            pytest.param(b'[{"b": {"a": 1, "\\u0061": 1}}]', id="name twice, deep and escaped"),
            pytest.param(b'"\\ud800"', id="lone surrogate, escaped"),
            pytest.param(b'"\xed\xa0\x80"', id="lone surrogate in bytes"),
            pytest.param(b'"\xff"', id="not UTF-8"),
            pytest.param("{}".encode("utf-16"), id="UTF-16"),
            pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
            pytest.param(b'"\x00"', id="control character"),
            pytest.param(b"[" * 100_000, id="bottomless, open"),
        ],
    )
    def test_anything_else_is_refused(self, body: bytes) -> None:
        """What two parsers could read differently, or what brings a parser down, is not read at all."""
        with pytest.raises(MalformedRequest):
            json_document(body)

    @pytest.mark.parametrize("levels", [*range(31, 35), 500, 999, 5_000, 9_997])
    @pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[0,{"a":', "}]")])
    def test_depth_is_bounded_by_ours(self, levels: int, opening: str, closing: str) -> None:
        """And not by the interpreter, which takes ten times as many levels on 3.13 as on 3.11; YAML has the same."""
        steps = levels // len(closing)
        text = (opening * steps + "1" + closing * steps).encode()

        taken = [reads(read, text) for read in (json_document, yaml_document)]

        assert taken == [steps * len(closing) <= MAX_DEPTH] * 2

    @given(st.binary(max_size=40))
    def test_any_bytes_are_taken_or_refused(self, body: bytes) -> None:
        """There is no third way."""
        with suppress(MalformedRequest):
            json_document(body)


class TestQueryParameters:
    """Query parameters as a Struct."""

    def test_nothing_given_is_the_defaults(self) -> None:
        """A query is optional."""
        assert Query() == query_parameters({}, Query)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"limit": ["500"]}, Query(limit=500)),
            ({"dryRun": ["true"]}, Query(dry_run=True)),
            ({"ratio": ["0.5"]}, Query(ratio=0.5)),
            ({"jobType": ["Train"]}, Query(job_type="Train")),
            ({"user": ["null"]}, Query(user="null")),
            ({"user": ["ä b"], "limit": ["1"]}, Query(user="ä b", limit=1)),
        ],
    )
    def test_texts_become_types(self, given: dict[str, list[str]], expected: Query) -> None:
        """Numbers and booleans are read, a text stays the text it is."""
        assert expected == query_parameters(given, Query)

    @pytest.mark.parametrize("text", ["1e2", "5.0", "+5", "05", " 5", "5 ", "1_0", "٣", "", "null", "-0", "0x5", "5\n"])
    def test_number_is_written_one_way(self, text: str) -> None:
        """The cluster, the log and the cache see the same question for the same text."""
        assert [pointer for pointer, _ in refusals({"limit": [text]})] == ["/limit"]

    @pytest.mark.parametrize("text", ["TRUE", "True", "1", "0", "yes", "", "null", " true"])
    def test_boolean_is_true_or_false(self, text: str) -> None:
        """`dryRun=1` is not guessed at: a wrong guess makes a Job."""
        assert [pointer for pointer, _ in refusals({"dryRun": [text]})] == ["/dryRun"]

    @pytest.mark.parametrize("text", ["null", "train", "", "Train\n"])
    def test_choice_is_written_out(self, text: str) -> None:
        """`null` is not a way to say nothing."""
        assert [pointer for pointer, _ in refusals({"jobType": [text]})] == ["/jobType"]

    def test_rule_is_told(self) -> None:
        """The caller reads what would be right."""
        assert refusals({"limit": ["501"]}) == [("/limit", "must be at most 500")]
        assert refusals({"limit": ["1e2"]}) == [
            ("/limit", "must be written as in the documentation: 100, not 1e2; true, not TRUE")
        ]

    def test_unknown_parameter_is_refused(self) -> None:
        """A misspelt filter would show Jobs that were not asked for."""
        assert refusals({"job_type": ["Train"]}) == [("/job_type", "is unknown")]

    def test_parameter_that_stands_twice_is_refused(self) -> None:
        """Which one counts would be a guess; every such parameter is named, beside what else is wrong."""
        found = refusals({"limit": ["0"], "user": ["a", "b", "c"], "x" * 70: ["", ""]})

        assert found == [
            ("/user", "must be sent once"),
            ("/" + "x" * 64, "must be sent once"),
            ("/limit", "must be at least 1"),
        ]

    @pytest.mark.parametrize("given", [{"user": ["\ud800"]}, {"\udfff": ["x"]}, {"user": ["a", "\udc80"]}])
    def test_what_is_no_text_is_refused(self, given: dict[str, list[str]]) -> None:
        """A lone surrogate can be neither hashed, nor logged, nor answered."""
        with pytest.raises(MalformedRequest) as refused:
            query_parameters(given, Query)

        assert (refused.value.detail, refused.value.errors) == ("The query is not valid UTF-8.", ())

    @given(st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=8), min_size=1, max_size=2), max_size=3))
    def test_any_query_is_taken_or_refused(self, given: dict[str, list[str]]) -> None:
        """There is no third way."""
        with suppress(MalformedRequest):
            query_parameters(given, Query)


class TestFieldError:
    """Where and why a value does not fit its type."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ({}, FieldError("/name", "is required")),
            ([], FieldError("", "must be an object")),
            ({"name": 1}, FieldError("/name", "must be a string")),
            ({"name": "a", "inner": [{"name": "a"}, {}]}, FieldError("/inner/1/name", "is required")),
            (
                {"name": "a", "inner": [{"name": "a", "inner": [{"name": None}]}]},
                FieldError("/inner/0/inner/0/name", "must be a string"),
            ),
        ],
    )
    def test_place_is_a_json_pointer(self, value: Any, expected: FieldError) -> None:  # noqa: ANN401 - any JSON
        """The path becomes a pointer, and stands in the message no more."""
        with pytest.raises(msgspec.ValidationError) as refused:
            msgspec.convert(value, Deep)

        assert expected == field_error(refused.value)

    def test_message_is_bounded(self) -> None:
        """However long the name that is unknown."""
        found = field_error(msgspec.ValidationError(f"Object contains unknown field `{'x' * 1000}`"))

        assert (len(found.pointer), found.message) == (65, "is unknown")
