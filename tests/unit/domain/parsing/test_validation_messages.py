"""What is wrong with a value, in our words."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest

from chalicelib.domain.errors import InvalidJob
from chalicelib.domain.parsing.validation_messages import UNKNOWN, of_msgspec, of_pydantic
from chalicelib.domain.submission.model import parse_submission
from tests.support.builders import document


class Sample(msgspec.Struct, forbid_unknown_fields=True):
    """A field of each kind."""

    text: Annotated[str, msgspec.Meta(pattern="^a+$", max_length=3, min_length=1)] = "a"
    number: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    choice: Literal["x", "y"] = "x"
    names: Annotated[list[str], msgspec.Meta(max_length=2)] = []
    truth: bool = True


class Needed(msgspec.Struct):
    """A field that has to be there."""

    name: str


def told_of(value: object, kind: type = Sample) -> tuple[str, str]:
    """The field and the rule that are told of *value*."""
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, kind)
    return of_msgspec(str(caught.value).partition(" - at `$")[0])


class TestMsgspec:
    """msgspec's messages, as it writes them now."""

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
    def test_becomes_a_rule(self, value: object, field: str, rule: str) -> None:
        """And no value is repeated."""
        assert told_of(value) == (field, rule)

    def test_missing_field_is_named(self) -> None:
        """It has no place of its own yet."""
        assert told_of({}, Needed) == ("name", "is required")

    @pytest.mark.parametrize("message", ["", "Something new", "Expected `decimal`, got `str`"])
    def test_unknown_message_says_little(self, message: str) -> None:
        """Rather than what a library might put into it."""
        assert of_msgspec(message) == ("", UNKNOWN)


class TestPydantic:
    """pydantic's errors, by their types."""

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
    def test_becomes_a_rule(self, fields: dict[str, object], rule: str) -> None:
        """In the words of the API."""
        with pytest.raises(InvalidJob) as refused:
            parse_submission(document(**fields))

        assert [error.message for error in refused.value.errors] == [rule]

    def test_unknown_type_says_little(self) -> None:
        """As for msgspec."""
        assert of_pydantic("a_new_one", {"input": "canary"}) == UNKNOWN
