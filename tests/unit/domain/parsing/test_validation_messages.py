"""Tests of the messages for invalid fields."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest

from chalicelib.domain.errors import InvalidJob
from chalicelib.domain.parsing.validation_messages import UNKNOWN, of_msgspec, of_pydantic
from chalicelib.domain.submission.model import parse_submission
from tests.support.builders import document


class Sample(msgspec.Struct, forbid_unknown_fields=True):
    """A struct with a field of each type."""

    text: Annotated[str, msgspec.Meta(pattern="^a+$", max_length=3, min_length=1)] = "a"
    number: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    choice: Literal["x", "y"] = "x"
    names: Annotated[list[str], msgspec.Meta(max_length=2)] = []
    truth: bool = True


class Required(msgspec.Struct):
    """A struct with a required field."""

    name: str


def message_for(value: object, kind: type = Sample) -> tuple[str, str]:
    """Return the field and the message for *value*."""
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.convert(value, kind)
    return of_msgspec(str(error.value).partition(" - at `$")[0])


class TestMsgspec:
    """Tests of of_msgspec, with the messages of the installed version."""

    @pytest.mark.parametrize(
        ("value", "field", "rule"),
        [
            ([], "", "must be an object"),
            ({"text": 1}, "", "must be a string"),
            ({"number": "1"}, "", "must be an integer"),
            ({"names": {}}, "", "must be an array"),
            ({"truth": 1}, "", "must be true or false"),
            ({"text": "b"}, "", "must match ^a+$"),
            ({"text": "aaaa"}, "", "must have at most 3 characters"),
            ({"text": ""}, "", "must have at least 1 characters"),
            ({"names": ["a", "b", "c"]}, "", "must have at most 2 items"),
            ({"number": 0}, "", "must be at least 1"),
            ({"number": 6}, "", "must be at most 5"),
            ({"choice": "canary"}, "", "must be one of the documented values"),
            ({"colour": 1}, "colour", "is unknown"),
        ],
    )
    def test_message(self, value: object, field: str, rule: str) -> None:
        """The message has our grammar, and does not contain the value."""
        assert message_for(value) == (field, rule)

    def test_missing_field_is_named(self) -> None:
        """A missing field is returned by name, because it is not part of the path."""
        assert message_for({}, Required) == ("name", "is required")

    @pytest.mark.parametrize("message", ["", "Something new", "Expected `decimal`, got `str`"])
    def test_unknown_message(self, message: str) -> None:
        """An unknown message of the library is not passed on."""
        assert of_msgspec(message) == ("", UNKNOWN)


class TestPydantic:
    """Tests of of_pydantic."""

    @pytest.mark.parametrize(
        ("fields", "rule"),
        [
            ({"image": None}, "must be a string"),
            ({"gpu": "1"}, "must be an integer"),
            ({"gpu": 65}, "must be at most 64"),
            ({"gpu": -1}, "must be at least 0"),
            ({"cpu": "1"}, "must be a number"),
            ({"stdin": 1}, "must be true or false"),
            ({"arguments": "x"}, "must be an array"),
            ({"arguments": ["x"] * 257}, "must have at most 256 items"),
            ({"environment": []}, "must be an object"),
            ({"name": "A"}, "must match ^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$"),
            ({"imagePullPolicy": "x"}, "must be one of 'Always', 'IfNotPresent' or 'Never'"),
            ({"pvc": [{"size": "1Gi"}]}, "is required"),
        ],
    )
    def test_message(self, fields: dict[str, object], rule: str) -> None:
        """The message has the same grammar as for msgspec."""
        with pytest.raises(InvalidJob) as error:
            parse_submission(document(**fields))

        assert [each.message for each in error.value.errors] == [rule]

    def test_unknown_type(self) -> None:
        """The text of an unknown error is not passed on."""
        assert of_pydantic("a_new_one", {"input": "canary"}) == UNKNOWN
