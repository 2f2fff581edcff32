"""Tests of strict JSON and query parameters."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

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
    """Query parameters of every type."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    dry_run: bool = False
    ratio: float = 1.0
    job_type: Literal["Train", "Interactive"] | None = None
    user: str | None = None
    stages: tuple[Literal["a", "b"], ...] = ()
    comma_separated: ClassVar[frozenset[str]] = frozenset({"stages"})


class Deep(msgspec.Struct):
    """A nested document."""

    name: str
    inner: list[Deep] = []
    by_name: dict[str, int] = {}


def accepts(parse: Callable[[bytes], object], text: bytes) -> bool:
    """Return whether *parse* accepts *text*."""
    try:
        parse(text)
    except MalformedRequest:
        return False
    return True


def errors_in(query: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Return the pointers and messages of the errors in *query*."""
    with pytest.raises(MalformedRequest) as error:
        query_parameters(query, Query)
    return [(each.pointer, each.message) for each in error.value.errors]


class TestJsonDocument:
    """Tests of json_document."""

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
    def test_valid_json(self, body: bytes, expected: object) -> None:
        """JSON in UTF-8 (RFC 8259) is parsed."""
        parsed = json_document(body)

        assert expected in (None, parsed)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"{", id="cut off"),
            pytest.param(b"{} {}", id="two documents"),
            pytest.param(b"NaN", id="not a number"),
            pytest.param(b"1e999", id="number that becomes infinity"),
            pytest.param(b"9" * 5000, id="more digits than Python reads"),
            pytest.param(b'{"a": 1, "a": 2}', id="duplicate key"),
            pytest.param(b'[{"b": {"a": 1, "\\u0061": 1}}]', id="nested and escaped duplicate key"),
            pytest.param(b'"\\ud800"', id="lone surrogate, escaped"),
            pytest.param(b'"\xed\xa0\x80"', id="lone surrogate in bytes"),
            pytest.param(b'"\xff"', id="not UTF-8"),
            pytest.param("{}".encode("utf-16"), id="UTF-16"),
            pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
            pytest.param(b'"\x00"', id="control character"),
            pytest.param(b"[" * 100_000, id="deeply nested"),
        ],
    )
    def test_invalid_json(self, body: bytes) -> None:
        """JSON that parsers could interpret differently, or that can exhaust a parser, is rejected."""
        with pytest.raises(MalformedRequest):
            json_document(body)

    @pytest.mark.parametrize("levels", [*range(31, 35), 500, 999, 5_000, 9_997])
    @pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[0,{"a":', "}]")])
    def test_depth_is_limited(self, levels: int, opening: str, closing: str) -> None:
        """JSON and YAML have the same limit, which does not depend on the version of Python."""
        steps = levels // len(closing)
        text = (opening * steps + "1" + closing * steps).encode()

        accepted = [accepts(parse, text) for parse in (json_document, yaml_document)]

        assert accepted == [steps * len(closing) <= MAX_DEPTH] * 2

    @given(st.binary(max_size=40))
    def test_any_bytes_are_parsed_or_rejected(self, body: bytes) -> None:
        """No bytes raise any other exception."""
        with suppress(MalformedRequest):
            json_document(body)


class TestQueryParameters:
    """Tests of query_parameters."""

    def test_defaults(self) -> None:
        """All parameters are optional."""
        assert Query() == query_parameters({}, Query)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"limit": ["500"]}, Query(limit=500)),
            ({"dryRun": ["true"]}, Query(dry_run=True)),
            ({"ratio": ["0.5"]}, Query(ratio=0.5)),
            ({"jobType": ["Train"]}, Query(job_type="Train")),
            ({"user": ["null"]}, Query(user="null")),
            ({"user": ["a,b"]}, Query(user="a,b")),
            ({"stages": ["a,b"]}, Query(stages=("a", "b"))),
            ({"stages": ["a", "b,a"]}, Query(stages=("a", "b", "a"))),
            ({"user": ["ä b"], "limit": ["1"]}, Query(user="ä b", limit=1)),
        ],
    )
    def test_values_are_converted(self, query: dict[str, list[str]], expected: Query) -> None:
        """Values are converted to the types of the parameters."""
        assert expected == query_parameters(query, Query)

    @pytest.mark.parametrize("text", ["1e2", "5.0", "+5", "05", " 5", "5 ", "1_0", "٣", "", "null", "-0", "0x5", "5\n"])
    def test_number_must_be_canonical(self, text: str) -> None:
        """Each number has only one accepted spelling."""
        assert [pointer for pointer, _ in errors_in({"limit": [text]})] == ["/limit"]

    @pytest.mark.parametrize("text", ["TRUE", "True", "1", "0", "yes", "", "null", " true"])
    def test_boolean_must_be_true_or_false(self, text: str) -> None:
        """Other spellings such as `dryRun=1` are rejected: a wrong interpretation would create a Job."""
        assert [pointer for pointer, _ in errors_in({"dryRun": [text]})] == ["/dryRun"]

    @pytest.mark.parametrize("text", ["null", "train", "", "Train\n"])
    def test_choice_must_be_exact(self, text: str) -> None:
        """Only the documented values are accepted, not `null`."""
        assert [pointer for pointer, _ in errors_in({"jobType": [text]})] == ["/jobType"]

    def test_message(self) -> None:
        """The message describes the accepted values."""
        assert errors_in({"limit": ["501"]}) == [("/limit", "must be at most 500")]
        assert errors_in({"limit": ["1e2"]}) == [("/limit", "must be a whole number in decimal digits, such as 10")]

    @pytest.mark.parametrize(
        ("text", "pointer"), [("", "/stages/0"), ("a,", "/stages/1"), ("a,c", "/stages/1"), ("a, b", "/stages/1")]
    )
    def test_each_item_of_a_list_must_be_valid(self, text: str, pointer: str) -> None:
        """An empty item is an error, too: it may be a variable that is not set."""
        assert [where for where, _ in errors_in({"stages": [text]})] == [pointer]

    def test_unknown_parameter_is_rejected(self) -> None:
        """A misspelled filter must not be ignored, as the response would contain other Jobs."""
        assert errors_in({"job_type": ["Train"]}) == [("/job_type", "is unknown. Did you mean `jobType`?")]

    def test_repeated_parameter_is_rejected(self) -> None:
        """All repeated parameters are reported, together with other errors."""
        errors = errors_in({"limit": ["0"], "user": ["a", "b", "c"], "x" * 70: ["", ""]})

        assert errors == [
            ("/user", "must be sent once"),
            ("/" + "x" * 64, "must be sent once"),
            ("/limit", "must be at least 1"),
        ]

    @pytest.mark.parametrize("query", [{"user": ["\ud800"]}, {"\udfff": ["x"]}, {"user": ["a", "\udc80"]}])
    def test_invalid_utf_8_is_rejected(self, query: dict[str, list[str]]) -> None:
        """A lone surrogate cannot be encoded for hashes, logs and responses."""
        with pytest.raises(MalformedRequest) as error:
            query_parameters(query, Query)

        assert (error.value.detail, error.value.errors) == ("The query is not valid UTF-8.", ())

    @given(st.dictionaries(st.text(max_size=8), st.lists(st.text(max_size=8), min_size=1, max_size=2), max_size=3))
    def test_any_query_is_parsed_or_rejected(self, query: dict[str, list[str]]) -> None:
        """No query raises any other exception."""
        with suppress(MalformedRequest):
            query_parameters(query, Query)


class TestFieldError:
    """Tests of field_error."""

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
    def test_json_pointer(self, value: Any, expected: FieldError) -> None:  # noqa: ANN401 - any JSON
        """The path in the message of msgspec becomes a JSON pointer."""
        with pytest.raises(msgspec.ValidationError) as error:
            msgspec.convert(value, Deep)

        assert expected == field_error(error.value)

    def test_length_of_the_pointer_is_limited(self) -> None:
        """A long unknown field is truncated."""
        error = field_error(msgspec.ValidationError(f"Object contains unknown field `{'x' * 1000}`"))

        assert (len(error.pointer), error.message) == (65, "is unknown")
