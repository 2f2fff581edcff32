"""Tests of strict YAML."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.parsing.strict_json import MAX_DEPTH
from chalicelib.domain.parsing.strict_yaml import yaml_document

TEXTS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(0.001, 1e15) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))
ANCHOR = (
    "The document has an anchor or an alias at line {}, column 4; repeat the value instead, or put text that begins "
    "with & or * in quotes."
)
TAG = "The document has a tag at line 1, column 4; remove it, or put the value in quotes."
INVALID_KEY = (
    "The document has a key that is not a string at line 1, column {}; put it, or a template such as {{{{ name }}}}, "
    "in quotes."
)
SECOND = "The document has a second document at line 2, column 1; upload each document separately."
BYTE_ORDER_MARK = "The document begins with a byte order mark. Save it as UTF-8 without BOM."
DUPLICATE = "The document has a duplicate key at line {}, column {}; remove one of the two."
DEEP = "The document has more than 32 levels of nesting at line 1, column {}; a Job needs five."
LARGE = "The document has a number that is too large at line 1, column 4; put it in quotes if it is text."
INVALID = [
    pytest.param("a: &x 1", ANCHOR.format(1), id="anchor"),
    pytest.param("a: 1\nb: *x", ANCHOR.format(2), id="alias"),
    pytest.param("a: !!str 1", TAG, id="standard tag"),
    pytest.param("a: !mine [1]", TAG, id="custom tag"),
    pytest.param("%YAML 1.1\n---\na", "The document has a directive at line 1, column 1; remove it.", id="directive"),
    pytest.param("a: 1\nb: 2\na: 3", DUPLICATE.format(3, 1), id="duplicate key"),
    pytest.param('{a: 1, "a": 2}', DUPLICATE.format(1, 8), id="quoted duplicate key"),
    pytest.param("1: a", INVALID_KEY.format(1), id="number as key"),
    pytest.param("? [a]\n: b", INVALID_KEY.format(3), id="list as key"),
    pytest.param("a\n---\nb", SECOND, id="two documents"),
    pytest.param("[" * 40_000, DEEP.format(34), id="deep lists"),
    pytest.param("- " * 10_000, DEEP.format(67), id="deep blocks"),
    pytest.param("a: 1.0e999", LARGE, id="infinity"),
    pytest.param("a: " + "9" * 5000, LARGE, id="many digits"),
    pytest.param(
        "a: b: c",
        "The document is not valid YAML at line 1, column 5: put a value that contains a colon and a space in quotes.",
        id="invalid YAML",
    ),
    pytest.param(
        'a: "\\ud800"',
        "The document is not valid YAML at line 1, column 7: remove the escape; write the character itself.",
        id="lone surrogate",
    ),
    pytest.param(
        "a: b\x00",
        "The document is not valid YAML at line 1, column 5: remove this character, which YAML does not allow.",
        id="NUL",
    ),
    pytest.param("\ufeffa: 1", BYTE_ORDER_MARK, id="byte order mark"),
]


class TestValid:
    """Tests of valid documents."""

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("", None), ("# nothing", None), ("---\n...\n", None), ("~", None), ("null", None), ("Null", None),
            ("true", True), ("True", True), ("FALSE", False), ("7", 7), ("-7", -7), ("0", 0), ("1.50", 1.5),
            ("1.0e3", 1000.0), ("-0.5E-1", -0.05),
            # Booleans and numbers of YAML 1.1 only are strings.
            ("yes", "yes"), ("No", "No"), ("on", "on"), ("y", "y"), ("1:30", "1:30"), ("0644", "0644"),
            ("0o17", "0o17"), ("0x1F", "0x1F"), ("1_000", "1_000"), ("+1", "+1"), (".5", ".5"), ("1.", "1."),
            (".inf", ".inf"),
            (".nan", ".nan"), ("1e3", "1e3"), ("12e4567", "12e4567"), ("2026-11-24", "2026-11-24"),
            ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"),
            ("=", "="), ("<<", "<<"), ("nULL", "nULL"),
            # Quoted and block scalars are always strings.
            ("'7'", "7"), ('"true"', "true"), ("''", ""), ("|\n  7\n", "7\n"), (">-\n  a\n  b\n", "a b"),
            ('"\\u00e4\\x41"', "äA"), ("ä 学", "ä 学"),
            ("[a, 1, [b]]", ["a", 1, ["b"]]), ("- a\n-\n- b: c", ["a", None, {"b": "c"}]),
            ("a: 1\nb: {c: d}\n", {"a": 1, "b": {"c": "d"}}), ("? a\n: b", {"a": "b"}),
            ('{"a":1,"b":[]}', {"a": 1, "b": []}),
            ("---\na: b\n...\n", {"a": "b"}), ("<<: {a: 1}", {"<<": {"a": 1}}), ("'1': a", {"1": "a"}),
        ],
    )  # fmt: skip
    def test_types_of_json(self, text: str, value: object) -> None:
        """Values have the types of JSON; all other plain scalars are strings."""
        parsed = yaml_document(text.encode())

        assert (parsed, json.dumps(parsed)) == (value, json.dumps(value))

    def test_nesting_within_the_limit(self) -> None:
        """The limit is inclusive."""
        assert yaml_document(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)

    @given(value=VALUES)
    def test_json_is_yaml(self, value: object) -> None:
        """A JSON document is parsed to the same value as YAML."""
        assert yaml_document(json.dumps(value, ensure_ascii=False).encode()) == json.loads(json.dumps(value))

    @given(value=VALUES)
    def test_output_of_pyyaml(self, value: object) -> None:
        """Documents that PyYAML writes are parsed to the original value."""
        written = yaml.safe_dump(value, allow_unicode=True)

        assert yaml_document(written.encode()) == value


class TestInvalid:
    """Tests of rejected documents."""

    @pytest.mark.parametrize(("text", "detail"), INVALID)
    def test_message_contains_the_line(self, text: str, detail: str) -> None:
        """The message contains the line and what to do."""
        with pytest.raises(MalformedRequest) as error:
            yaml_document(text.encode())

        assert detail == error.value.detail

    @pytest.mark.parametrize("body", ["a: ä".encode("latin-1"), "a: 1".encode("utf-16"), b"\xff\xfe", b"\xed\xa0\x80"])
    def test_other_encodings(self, body: bytes) -> None:
        """Only UTF-8 is accepted."""
        with pytest.raises(MalformedRequest, match="UTF-8"):
            yaml_document(body)
