"""Tests of the messages for values that msgspec refuses."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from chalicelib.domain.errors import FieldError
from chalicelib.domain.parsing.validation_messages import RULE, UNKNOWN, choice, field_error, length

RULE_OF_TEXT = "must have only the letter a"


class Sample(msgspec.Struct, forbid_unknown_fields=True):
    """A struct with a field of each type."""

    text: Annotated[str, msgspec.Meta(pattern="^a+$", max_length=3, min_length=1, extra={RULE: RULE_OF_TEXT})] = "a"
    plain: Annotated[str, msgspec.Meta(pattern="^a+$")] = "a"
    number: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    ratio: float | None = None
    choice: Literal["left", "right"] = "left"
    names: Annotated[list[str], msgspec.Meta(max_length=2)] = []
    inner: list[Sample] = []
    truth: bool = True


class Required(msgspec.Struct):
    """A struct with a required field."""

    name: str


class Empty(msgspec.Struct, forbid_unknown_fields=True):
    """A struct without a field."""


def error_of(value: object, kind: Any = Sample) -> tuple[str, str]:  # noqa: ANN401 - any type
    """Return pointer and message for *value*."""
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.convert(value, kind)
    found = field_error(error.value, kind, value)
    return found.pointer, found.message


class TestFieldError:
    """Tests of field_error, with the messages of the installed version of msgspec."""

    @pytest.mark.parametrize(
        ("value", "pointer", "message"),
        [
            ([], "", "must be an object"),
            ({"text": 1}, "/text", "must be a string"),
            ({"number": "1"}, "/number", "must be an integer"),
            ({"ratio": "1"}, "/ratio", "must be a number"),
            ({"names": {}}, "/names", "must be an array"),
            ({"truth": 1}, "/truth", "must be true or false"),
            ({"text": "b"}, "/text", RULE_OF_TEXT),
            ({"plain": "b"}, "/plain", UNKNOWN),
            ({"text": "aaaa"}, "/text", "must have at most 3 characters"),
            ({"text": ""}, "/text", "must not be empty"),
            ({"names": ["a", "b", "c"]}, "/names", "must have at most 2 items"),
            ({"number": 0}, "/number", "must be at least 1"),
            ({"number": 6}, "/number", "must be at most 5"),
            ({"choice": "canary"}, "/choice", "must be one of `left`, `right`"),
            ({"choice": "Right"}, "/choice", "must be one of `left`, `right`. Did you mean `right`?"),
            ({"choice": "rigth"}, "/choice", "must be one of `left`, `right`. Did you mean `right`?"),
            ({"inner": [{}, {"choice": "up"}]}, "/inner/1/choice", "must be one of `left`, `right`"),
            ({"inner": [{"texts": 1}]}, "/inner/0/texts", "is unknown. Did you mean `text`?"),
            (
                {"colour": 1},
                "/colour",
                "is unknown; the fields are `text`, `plain`, `number`, `ratio`, `choice`, `names`, `inner`, `truth`",
            ),
        ],
    )
    def test_message(self, value: object, pointer: str, message: str) -> None:
        """The message says what to write, lists the choices, and contains neither the value nor a pattern."""
        assert error_of(value) == (pointer, message)

    def test_missing_field_is_named(self) -> None:
        """A missing field is part of the pointer."""
        assert error_of([{"name": "a"}, {}], list[Required]) == ("/1/name", "is required")

    def test_object_without_fields(self) -> None:
        """There is no field to list."""
        assert error_of({"a/b": 1}, Empty) == ("/a~1b", "is unknown")

    @pytest.mark.parametrize(
        "message", ["", "Something new", "Expected `decimal`, got `str`", "Invalid enum value 'x'"]
    )
    def test_unknown_message(self, message: str) -> None:
        """An unknown message of the library is not passed on."""
        assert field_error(msgspec.ValidationError(message)) == FieldError("", UNKNOWN)

    def test_place_that_the_document_does_not_have(self) -> None:
        """The place in the message is not trusted to exist."""
        error = msgspec.ValidationError("Invalid enum value 'x' - at `$.choice[3].x`")

        assert field_error(error, Sample, {"choice": "x"}) == FieldError("/choice/3/x", UNKNOWN)


class TestChoice:
    """Tests of choice."""

    @pytest.mark.parametrize("value", [None, 1, ["left"], "", "canary"])
    def test_no_question(self, value: object) -> None:
        """There is no question about a value that is similar to no choice."""
        assert choice(["left", "right"], value) == "must be one of `left`, `right`"


class TestLength:
    """Tests of length."""

    @pytest.mark.parametrize(
        ("is_text", "bound", "number", "message"),
        [
            (True, "most", 1, "must have at most 1 character"),
            (True, "least", 2, "must have at least 2 characters"),
            (False, "most", 16, "must have at most 16 items"),
            (False, "least", 1, "must not be empty"),
        ],
    )
    def test_grammar(self, is_text: bool, bound: str, number: int, message: str) -> None:
        """One is in the singular."""
        assert length(is_text=is_text, bound=bound, number=number) == message
