"""YAML, read strictly."""

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
VALUES = st.recursive(SCALARS, lambda one: st.lists(one, max_size=4) | st.dictionaries(TEXTS, one, max_size=4))
ANCHOR = "Line {} of the document has an anchor or an alias; repeat the value instead."
TAG = "Line {} of the document has a tag; remove it."
ODD_KEY = "Line {} of the document has a key that is not a string; put it in quotes."
SECOND = "Line {} of the document begins a second document; upload each document separately."
MARK = "The document begins with a byte order mark. Save it as UTF-8 without one."
REFUSED = [
    pytest.param("a: &x 1", ANCHOR.format(1), id="an anchor"),
    pytest.param("a: 1\nb: *x", ANCHOR.format(2), id="alias"),
    pytest.param("a: !!str 1", TAG.format(1), id="a tag of YAML"),
    pytest.param("a: !mine [1]", TAG.format(1), id="a tag of somebody"),
    pytest.param("%YAML 1.1\n---\na", "Line 1 of the document has a directive; remove it.", id="a version"),
    pytest.param("a: 1\nb: 2\na: 3", "Line 3 of the document has a duplicate key.", id="a key twice"),
    pytest.param('{a: 1, "a": 2}', "Line 1 of the document has a duplicate key.", id="a key in quotes, too"),
    pytest.param("1: a", ODD_KEY.format(1), id="a number as key"),
    pytest.param("? [a]\n: b", ODD_KEY.format(1), id="list as key"),
    pytest.param("a\n---\nb", SECOND.format(2), id="two"),
    pytest.param("[" * 40_000, "Line 1 of the document exceeds 32 levels of nesting.", id="deep lists"),
    pytest.param("- " * 10_000, "Line 1 of the document exceeds 32 levels of nesting.", id="deep blocks"),
    pytest.param("a: 1.0e999", "Line 1 of the document has a number that is too large.", id="infinity"),
    pytest.param("a: " + "9" * 5000, "Line 1 of the document has a number that is too large.", id="many digits"),
    pytest.param("a: b: c", "Line 1 of the document is not valid YAML.", id="no YAML"),
    pytest.param('a: "\\ud800"', "Line 1 of the document is not valid YAML.", id="half a surrogate pair"),
    pytest.param("a: \x00", "The document contains characters that are not allowed in YAML.", id="a NUL"),
    pytest.param("\ufeffa: 1", MARK, id="a mark"),
]


class TestTaken:
    """What a document means."""

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("", None), ("# nothing", None), ("---\n...\n", None), ("~", None), ("null", None), ("Null", None),
            ("true", True), ("True", True), ("FALSE", False), ("7", 7), ("-7", -7), ("0", 0), ("1.50", 1.5),
            ("1.0e3", 1000.0), ("-0.5E-1", -0.05),
            # Words and numbers of YAML 1.1 alone are what they look like: text.
            ("yes", "yes"), ("No", "No"), ("on", "on"), ("y", "y"), ("1:30", "1:30"), ("0644", "0644"),
            ("0o17", "0o17"), ("0x1F", "0x1F"), ("1_000", "1_000"), ("+1", "+1"), (".5", ".5"), ("1.", "1."),
            (".inf", ".inf"),
            (".nan", ".nan"), ("1e3", "1e3"), ("12e4567", "12e4567"), ("2026-11-24", "2026-11-24"),
            ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"),
            ("=", "="), ("<<", "<<"), ("nULL", "nULL"),
            # Quotes and blocks are text, whatever is in them.
            ("'7'", "7"), ('"true"', "true"), ("''", ""), ("|\n  7\n", "7\n"), (">-\n  a\n  b\n", "a b"),
            ('"\\u00e4\\x41"', "äA"), ("ä 学", "ä 学"),
            ("[a, 1, [b]]", ["a", 1, ["b"]]), ("- a\n-\n- b: c", ["a", None, {"b": "c"}]),
            ("a: 1\nb: {c: d}\n", {"a": 1, "b": {"c": "d"}}), ("? a\n: b", {"a": "b"}),
            ('{"a":1,"b":[]}', {"a": 1, "b": []}),
            ("---\na: b\n...\n", {"a": "b"}), ("<<: {a: 1}", {"<<": {"a": 1}}), ("'1': a", {"1": "a"}),
        ],
    )  # fmt: skip
    def test_is_what_json_could_say(self, text: str, value: object) -> None:
        """Null, booleans, numbers, texts, lists and maps; anything else that YAML knows is text."""
        found = yaml_document(text.encode())

        assert (found, json.dumps(found)) == (value, json.dumps(value))

    def test_nesting_is_enough(self) -> None:
        """A Job needs five levels."""
        assert yaml_document(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)

    @given(value=VALUES)
    def test_json_is_yaml(self, value: object) -> None:
        """A document in JSON means the same in a file that is called YAML."""
        assert yaml_document(json.dumps(value, ensure_ascii=False).encode()) == json.loads(json.dumps(value))

    @given(value=VALUES)
    def test_what_pyyaml_writes_is_read(self, value: object) -> None:
        """Python's own way to write a manifest."""
        written = yaml.safe_dump(value, allow_unicode=True)

        assert yaml_document(written.encode()) == value


class TestRefused:
    """What could be read in two ways, or grow."""

    @pytest.mark.parametrize(("text", "detail"), REFUSED)
    def test_names_the_line(self, text: str, detail: str) -> None:
        """In our own words, with what to do."""
        with pytest.raises(MalformedRequest) as refused:
            yaml_document(text.encode())

        assert detail == refused.value.detail

    @pytest.mark.parametrize("body", ["a: ä".encode("latin-1"), "a: 1".encode("utf-16"), b"\xff\xfe", b"\xed\xa0\x80"])
    def test_is_told_what_is_not_utf_8(self, body: bytes) -> None:
        """Of all encodings that YAML may have, one."""
        with pytest.raises(MalformedRequest, match="UTF-8"):
            yaml_document(body)
