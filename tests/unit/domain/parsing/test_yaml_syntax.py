"""Tests of the messages about invalid YAML: where, and what to write."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.parsing.strict_yaml import yaml_document
from chalicelib.domain.parsing.yaml_syntax import explain

LEVELS = "the indentation does not match the lines above; use spaces, and the same number for fields of one level"
NO_FIELD = f"no field is expected here; {LEVELS}"
COLON = "put a value that contains a colon and a space in quotes"
AFTER_QUOTE = "expected the end of the line after the closing quote; put the whole value in quotes"
QUOTE = "expected a closing quote; the quote at line 1, column 4 is not closed"
CLOSING = (
    "expected a comma or `{}`; put a value with special characters in quotes; the bracket at line 1, column 4 is not "
    "closed"
)
BACKSLASH = "write a backslash in double quotes twice, or use single quotes"
CHARACTER = "put a value that begins with this character in quotes"
TAB = "replace the tab with spaces"
TEMPLATE = "put a template such as {{ name }} in quotes, and fill it in: this API has no templates"
PROBLEMS = [
    ("a: b: c", 1, 5, COLON),
    ('command: echo "a: b"', 1, 17, COLON),
    ("a: 1\n b: 2", 2, 3, NO_FIELD),
    ("a:\n  b: 1\n c: 2", 3, 2, LEVELS),
    ("a: 1\n- b", 2, 1, LEVELS),
    ("name:train\nimage: x", 2, 6, "write a space after the colon in the line above"),
    ("a: 1\nb", 2, 2, "expected a colon and a space after the key"),
    ("- a\nb: 1", 2, 1, "expected `- ` as before the other items of this list"),
    ("a: - b", 1, 4, "begin a list on a new line, below its key"),
    ("a: [1, 2", 1, 9, CLOSING.format("]")),
    ("a: {b: 1", 1, 9, CLOSING.format("}")),
    ('a: "x', 1, 6, QUOTE),
    ("a: 'x\n---\nb", 2, 1, QUOTE),
    ("a: 'it's'", 1, 8, AFTER_QUOTE),
    ('a: "x" y', 1, 8, AFTER_QUOTE),
    ('a: "C:\\dir"', 1, 7, BACKSLASH),
    ('a: "\\xq"', 1, 7, "write the digits of the escape, or use single quotes"),
    ('a: "\\ud800"', 1, 7, "remove the escape; write the character itself"),
    ("\ta: 1", 1, 1, TAB),
    ("a:\n\tb: 1", 2, 1, TAB),
    ("a: 1\n  \tb: 2", 2, 5, TAB),
    ("a: @x", 1, 4, CHARACTER),
    ("a: `x`", 1, 4, CHARACTER),
    ("a: %x", 1, 4, CHARACTER),
    ("a: ]", 1, 4, "expected a value"),
    ("a: {% if x %}", 1, 5, TEMPLATE),
    ("a: !<x", 1, 7, "put a value that begins with `!` in quotes"),
    ("a: !e!x b", 1, 4, "put a value that begins with `!` in quotes"),
    ("a: * b", 1, 5, "put a value that begins with `*` or `&` in quotes"),
    ("%a", 1, 3, "remove the line that begins with `%`"),
    ("a: |x\n b", 1, 5, "write `|` or `>` alone at the end of the line, and the text below it, indented"),
    ("a: 1\n...\nb: 2", 3, 1, "the document ends before this line; indent the line, or remove it"),
    ("a: b\x01", 1, 5, "remove this character, which YAML does not allow"),
]


def detail_of(text: str) -> str:
    """Return the message about *text*, which is refused."""
    with pytest.raises(MalformedRequest) as error:
        yaml_document(text.encode())
    return error.value.detail


class TestExplain:
    """Tests of explain."""

    @pytest.mark.parametrize(("text", "line", "column", "advice"), PROBLEMS)
    def test_place_and_advice(self, text: str, line: int, column: int, advice: str) -> None:
        """The message has the line and the column of the problem, and what to write instead."""
        assert detail_of(text) == f"The document is not valid YAML at line {line}, column {column}: {advice}."

    @pytest.mark.parametrize(
        ("text", "beginning"),
        [
            ("kubectl apply -f job.yaml: x: y", "The document is a script or a command line. Send YAML instead"),
            ("<job>: {", "The document looks like XML or HTML. Send YAML instead."),
        ],
    )
    def test_other_formats(self, text: str, beginning: str) -> None:
        """A document of another format is recognized, if it is not YAML as well."""
        assert detail_of(text).startswith(beginning)

    def test_error_without_a_place(self) -> None:
        """An error that has no place still has a sentence."""
        assert explain(b"a", yaml.MarkedYAMLError()) == "The document is not valid YAML."

    @given(st.text("ab:- \n\t[]{}'\"|>&*!%@#,?x", max_size=25))
    def test_every_refusal_has_a_place(self, text: str) -> None:
        """Whatever is refused, the message has a place, or names another format."""
        detail = ""
        try:
            yaml_document(text.encode())
        except MalformedRequest as error:
            detail = error.detail

        assert re.search(r"^$|at line \d+, column \d+|^The document (is|looks) ", detail), (text, detail)
