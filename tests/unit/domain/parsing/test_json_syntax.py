"""Tests of the messages about invalid JSON: where, and what to write."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.parsing.json_syntax import explain
from chalicelib.domain.parsing.strict_json import MAX_DEPTH, json_document
from chalicelib.domain.parsing.text_formats import MINIMAL

WORD = "expected a value; put text in double quotes"
BEGINS_WITH_A_DIGIT = "put text that begins with a digit in double quotes"
NULL = "expected a value; write `null`, or leave the field out"
NO_NAN = "JSON has no NaN and no infinity; write a finite number"
LARGE = "this number is too large; put it in double quotes if it is text"
QUOTES = 'expected double quotes, as in "text"'
KEY = "expected a key in double quotes"
NO_COMMENTS = "JSON has no comments; remove this one"
ANY = f"expected an object or an array, such as {MINIMAL}"
PROBLEMS = [
    ('{"a": 1,}', 8, "remove the trailing comma before `}`"),
    ('{"a": [1, 2 , ]}', 13, "remove the trailing comma before `]`"),
    ('{"a": 1 "b": 2}', 9, "expected a comma or `}`"),
    ('["a" "b"]', 6, "expected a comma or `]`"),
    ('{"a": 1; "b": 2}', 8, "expected a comma or `}`"),
    ('{"a": [1}', 9, "expected a comma or `]`"),
    ('{"a": "he said "hi""}', 17, r"expected a comma or `}`; write a double quote within a string as \""),
    ('{"a" 1}', 6, "expected a colon between the key and its value"),
    ('{"a"= 1}', 5, "expected a colon between the key and its value"),
    ("{a: 1}", 2, KEY),
    ("{1: 1}", 2, KEY),
    ("{,}", 2, f"{KEY}; remove this comma"),
    ('{"a": 1,, "b": 2}', 9, f"{KEY}; remove this comma"),
    ("{{ name }}", 2, f"{KEY}; remove this bracket, or fill in the template: this API has none"),
    ("{'a': 1}", 2, QUOTES),
    ('{"a": \u201cx\u201d}', 7, QUOTES),
    ('{"a":\u00a01}', 6, "remove the invisible character U+00A0, or replace it with a space"),
    ('{"a": , "b": 1}', 7, "expected a value; remove this comma, or write the value before it"),
    ("[1,,2]", 4, "expected a value; remove this comma, or write the value before it"),
    ('{"a": }', 7, "expected a value before `}`"),
    ('{"a": True}', 7, "expected a value; write `true`, in lower case"),
    ('{"a": No}', 7, "expected a value; write `false`, in lower case"),
    ('{"a": None}', 7, NULL),
    ('{"a": undefined}', 7, NULL),
    ('{"a": python}', 7, WORD),
    ('{"a": trueish}', 7, WORD),
    ('{"a": ...}', 7, WORD),
    ('{"a": $GPUS}', 7, f"{WORD}; within single quotes, a shell does not replace its variables"),
    ('{"a": (1, 2)}', 7, "expected a value; write a list within [ and ]"),
    ('{"a": NaN}', 7, NO_NAN),
    ('{"a": -Infinity}', 7, NO_NAN),
    ('{"a": 01}', 7, "write the number without leading zeros"),
    ('{"a": -.5}', 7, "write a digit before the decimal point, such as 0.5"),
    ('{"a": 5.}', 7, "write a digit after the decimal point, such as 1.0"),
    ('{"a": +1}', 7, "write the number without a plus sign"),
    ('{"a": 0x1F}', 7, "write the number in decimal digits"),
    ('{"a": 1_000}', 7, "write the number without underscores"),
    ('{"a": 1e}', 7, "write digits after the exponent's e, such as 1e-4"),
    ('{"a": 64Gi}', 7, BEGINS_WITH_A_DIGIT),
    ('{"a": 10:30}', 7, BEGINS_WITH_A_DIGIT),
    ('{"a": 1e999}', 7, LARGE),
    ('{"a": ' + "9" * 5000 + "}", 7, LARGE),
    ('{"a": "C:\\dir"}', 10, r"write a backslash in a string twice, as \\"),
    ('{"a": "\\u12"}', 8, r"write a backslash in a string twice, as \\"),
    ('{"a": "x\\ty\\', 12, r"write a backslash in a string twice, as \\"),
    ('{"a": "x}', 7, "the string that begins here has no end; add a double quote"),
    ('{"a": "x\ty"}', 9, r"a string cannot contain a tab; write it as \t"),
    ('{"a": "x\x01"}', 9, "a string cannot contain the control character U+0001; remove it"),
    (
        '{"a": "x\ny"}',
        9,
        r"a string cannot contain a line break; close it with a double quote, or write the line break as \n",
    ),
    ('{"a": "\\ud800"}', 7, "this string has half of a surrogate pair; write the character itself"),
    ('{"a": 1, "a": 2}', 10, "this object already has this key; remove one of the two"),
    ('{"a": 1, "\\u0061": 2}', 10, "this object already has this key; remove one of the two"),
    ('{"a": {"b": 1}', 15, "the body ends here; expected `}`: the `{` in line 1 is not closed"),
    ('{"a', 2, "the string that begins here has no end; add a double quote"),
    ('{"a"', 5, "the body ends here; expected a colon after the key: the `{` in line 1 is not closed"),
    ('{"a":', 6, "the body ends here; expected a value: the `{` in line 1 is not closed"),
    ('{"a": 1,', 9, f"the body ends here; {KEY}: the `{{` in line 1 is not closed"),
    ('{"a": 1} // x', 10, NO_COMMENTS),
    ('# x\n{"a": 1}', 1, NO_COMMENTS),
    ('{/* x */ "a": 1}', 2, NO_COMMENTS),
    ('{"a": 1/* x */}', 8, NO_COMMENTS),
    ('{"a": 1} {"b": 2}', 10, "a second document begins; send one document in each body"),
    ('{"a": 1}}', 9, "expected the end of the body; remove what follows the last closing bracket"),
    ('"project": "team-a"', 10, "expected the end of the body; put the fields within { and }"),
    ("hello", 1, ANY),
    ("--data", 1, ANY),
    ("[" * 40, 33, "more than 32 levels of arrays and objects"),
]
OTHER_FORMATS = [
    (b" \n", "The body is empty. A Job has at least"),
    (b"project: team-a\nimage: busybox\n", "The body looks like YAML. Send JSON"),
    (b"---\n- a\n", "The body looks like YAML. Send JSON"),
    (b"project=team-a&image=busybox", "The body is form-encoded. Send JSON instead"),
    (b"job=%7B%7D", "The body is form-encoded. Send JSON instead"),
    (b"@job.json", "The body is the name of a file."),
    (b"<html>", "The body looks like XML or HTML. Send JSON instead."),
    (b"--x1\r\nContent-Disposition: form-data", "The body is multipart/form-data."),
    (b"#!/bin/bash\n", "The body is a script or a command line."),
    (b"kubectl apply", "The body is a script or a command line."),
    (b"\x1f\x8b\x08", "The body is compressed. Send it uncompressed."),
    ("{}".encode("utf-16"), "The body is encoded in UTF-16 or UTF-32"),
    (b"\xef\xbb\xbf{}", "The body begins with a byte order mark. Save it as UTF-8 without BOM."),
    ('{"a":\n"ä'.encode() + b'\xff"}', "The body is not valid UTF-8 at line 2, column 3. Save it as UTF-8."),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def detail_of(body: bytes) -> str:
    """Return the message about *body*, which is refused."""
    with pytest.raises(MalformedRequest) as error:
        json_document(body)
    return error.value.detail


class TestExplain:
    """Tests of explain."""

    @pytest.mark.parametrize(("text", "column", "advice"), PROBLEMS)
    def test_place_and_advice(self, text: str, column: int, advice: str) -> None:
        """The message has the line and the column of the first problem, and what to write instead."""
        assert detail_of(text.encode()) == f"The body is not valid JSON at line 1, column {column}: {advice}."

    def test_line(self) -> None:
        """The place is that of the character, in any line."""
        text = '{\n  "a": "ä\U0001f600", "b": [\n    1,\n    2\n  ],\n  "c": \'x\'\n}'

        assert detail_of(text.encode()) == f"The body is not valid JSON at line 6, column 8: {QUOTES}."
        assert "the `[` in line 2 is not closed" in detail_of(b'{\n"b": [1,\n2')

    @pytest.mark.parametrize(("body", "beginning"), OTHER_FORMATS)
    def test_other_formats(self, body: bytes, beginning: str) -> None:
        """A body of another format or encoding is recognized, and the message says what to send."""
        assert detail_of(body).startswith(beginning)

    def test_noun(self) -> None:
        """An upload is called a document."""
        assert explain(b"{", "document", MAX_DEPTH).startswith("The document is not valid JSON at line 1, column 2: ")

    def test_valid_json(self) -> None:
        """For JSON in which the scanner finds no problem there is still a sentence."""
        assert explain(b" [{}, 1.5, true]\n", "body", MAX_DEPTH).startswith("The body is not valid JSON. ")

    @given(value=JSON, data=st.data())
    def test_every_refusal_has_a_place(self, value: object, data: st.DataObject) -> None:
        """A document with one character changed is accepted, or its message has a place; no character is quoted."""
        text = json.dumps(value, ensure_ascii=False)
        place = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.sampled_from([place, place + 1]))
        changed = text[:place] + data.draw(st.sampled_from([*"\"'{}[],:\\ -0.eE#/\x00ü", ""])) + text[end:]
        detail = ""
        try:
            json_document(changed.encode())
        except MalformedRequest as error:
            detail = error.detail

        assert re.search(r"^$|at line \d+, column \d+|^The body (?!is not valid JSON)", detail), (changed, detail)
