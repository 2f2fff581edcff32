"""Tests of numbers and booleans that keep how they are written."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidJob
from chalicelib.domain.parsing.literals import FloatLiteral, encode_literal, text_of
from chalicelib.domain.parsing.strict_json import json_document
from chalicelib.domain.parsing.strict_yaml import yaml_document
from chalicelib.domain.submission.model import parse_submission
from tests.support.builders import document

NUMBERS = ["1e-4", "1E5", "1.50", "0.0001", "-0", "-0.0", "0", "7", "1.0", "3.141592653589793238", "9" * 30, "1e4"]
LARGE = "123456789012345678901234567890"


def submitted(text: str, parser: Any) -> dict[str, Any]:  # noqa: ANN401 - one of the two parsers
    """Return the submission with the fields in *text*, as it is stored."""
    submission = parse_submission(document(**parser(text.encode(), literals=True)))
    stored: dict[str, Any] = json.loads(submission.as_submitted)
    return stored


class TestText:
    """Numbers and booleans where text is expected."""

    @pytest.mark.parametrize("number", NUMBERS)
    def test_number_in_json(self, number: str) -> None:
        """A number arrives as it is written, in each field of text."""
        fields = f'{{"arguments": [{number}], "environment": {{"A": {number}}}, "annotations": {{"a": {number}}}}}'

        stored = submitted(fields, json_document)

        assert (stored["arguments"], stored["environment"], stored["annotations"]) == (
            [number],
            {"A": number},
            {"a": number},
        )

    @pytest.mark.parametrize("number", ["1e-4", "1.50", "7", "0", "1.0", "0.1"])
    def test_label(self, number: str) -> None:
        """A label can be a number that is a valid label as it is written."""
        assert submitted(f'{{"labels": {{"lr": {number}}}}}', json_document)["labels"] == {"lr": number}

    def test_boolean_in_json(self) -> None:
        """JSON writes booleans in lower case."""
        stored = submitted('{"arguments": [true], "labels": {"a": false}, "command": ["a", true]}', json_document)

        assert (stored["arguments"], stored["labels"], stored["command"]) == (["true"], {"a": "false"}, ["a", "true"])

    @pytest.mark.parametrize("text", ["1e-4", "1.50", "True", "FALSE", "true", "yes", "0644", "-0", "1_000", LARGE])
    def test_plain_scalar_in_yaml(self, text: str) -> None:
        """A plain scalar of YAML arrives as it is written, whatever type it has."""
        stored = submitted(f"arguments: [{text}]\nenvironment: {{A: {text}}}", yaml_document)

        assert (stored["arguments"], stored["environment"]) == ([text], {"A": text})

    @pytest.mark.parametrize("fields", ['{"labels": {"a": -1}}', '{"labels": {"a": 1e+4}}', '{"arguments": [null]}'])
    def test_not_valid_as_text(self, fields: str) -> None:
        """The text of a number follows the rules of the field; null has no text."""
        with pytest.raises(InvalidJob):
            submitted(fields, json_document)

    @pytest.mark.parametrize("value", ["x", None, [1], {"a": 1}])
    def test_other_types(self, value: object) -> None:
        """Any other value is unchanged."""
        assert text_of(value) is value

    @given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
    def test_any_number(self, number: float) -> None:
        """The text of any number of JSON is its JSON."""
        text = json.dumps(number)

        assert text_of(json_document(text.encode(), literals=True)) == text


class TestOtherFields:
    """Numbers and booleans where numbers and booleans are expected."""

    def test_numbers_and_booleans(self) -> None:
        """A literal is a number or a boolean like any other."""
        text = "gpu: 2.0\ncpu: 1.50\nparallelism: 3\ntty: True\nttlAfterFinish: 60\n"
        nested = "pvc: [{path: /a, name: b, readOnly: TRUE}]\nretry: {exitCodes: [3], ignoreDisruptions: true}"

        stored = submitted(text + nested, yaml_document)

        expected = {"gpu": 2, "cpu": 1.5, "parallelism": 3, "tty": True, "ttlAfterFinish": 60}
        assert expected.items() <= stored.items()
        assert stored["pvc"] == [{"path": "/a", "name": "b", "readOnly": True}]
        assert stored["retry"] == {"exitCodes": [3], "ignoreDisruptions": True}

    @pytest.mark.parametrize(
        "text",
        [
            "gpu: true",
            "parallelism: True",
            "cpu: true",
            "retry: {exitCodes: [true]}",
            "ttlAfterFinish: true",
            "memory: true",
        ],
    )
    def test_no_conversion(self, text: str) -> None:
        """Booleans are not numbers, nor text of another field."""
        with pytest.raises(InvalidJob):
            submitted(text, yaml_document)


class TestEncode:
    """The JSON of literals."""

    @pytest.mark.parametrize("number", NUMBERS)
    def test_number(self, number: str) -> None:
        """A literal is encoded as it is written."""
        literal = json_document(number.encode(), literals=True)

        assert msgspec.json.encode([literal], enc_hook=encode_literal) == f"[{number}]".encode()

    def test_other_types(self) -> None:
        """Other types cannot be encoded."""
        with pytest.raises(NotImplementedError):
            encode_literal(object())

    def test_without_literals(self) -> None:
        """By default the parser returns plain numbers."""
        assert type(json_document(b"1.5")) is float
        assert type(json_document(b"1.5", literals=True)) is FloatLiteral
