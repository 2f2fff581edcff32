"""Advice about single tokens that JSON does not have: other quotes, comments, words of Python, other numbers."""

from __future__ import annotations

import re

_COMMENT = re.compile(r"#|//|/\*")
_IDENTIFIER = re.compile(r"[^\W\d][\w$-]*")
_NUMBER_LIKE = re.compile(r"[-+]?[.]?[0-9]")
_QUOTES = "'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
_INVISIBLE = "\u00a0\u200b\u200c\u200d\u2007\u202f\u2028\u2029\ufeff\x0b\x0c"
_WORDS = {
    **dict.fromkeys(("true", "yes", "on"), "expected a value; write `true`, in lower case"),
    **dict.fromkeys(("false", "no", "off"), "expected a value; write `false`, in lower case"),
    **dict.fromkeys(
        ("null", "none", "nil", "undefined", "na"), "expected a value; write `null`, or leave the field out"
    ),
    **dict.fromkeys(("nan", "inf", "infinity"), "JSON has no NaN and no infinity; write a finite number"),
}
_NUMBERS = (
    (r"[-+]?0[xXoObB]", "write the number in decimal digits"),
    (r"\+", "write the number without a plus sign"),
    (r"-?\.", "write a digit before the decimal point, such as 0.5"),
    (r"-?0[0-9]", "write the number without leading zeros"),
    (r"-?[0-9]+(_[0-9]+)+", "write the number without underscores"),
    (r"-?[0-9]+\.(?![0-9])", "write a digit after the decimal point, such as 1.0"),
    (r"-?[0-9.]+[eE][-+]?(?![0-9])", "write digits after the exponent's e, such as 1e-4"),
    (r"-(?![0-9])", "JSON has no NaN and no infinity; write a finite number"),
)
_INSTEAD_OF_KEY = {
    ",": "remove this comma",
    "{": "remove this bracket, or fill in the template: this API has none",
}
_INSTEAD_OF_VALUE = {
    "(": "write a list within [ and ]",
    "$": "put text in double quotes; within single quotes, a shell does not replace its variables",
}
KEY, VALUE = "a key in double quotes", "a value"
"""What `unexpected` knows more about."""
_NOT_A_NUMBER = "put text that begins with a digit in double quotes"


NO_COMMENTS = "JSON has no comments; remove this one"


def is_comment(text: str, position: int) -> bool:
    """Return whether a comment of another language begins at *position* of *text*."""
    return _COMMENT.match(text, position) is not None


def unexpected(text: str, position: int, expected: str) -> str:
    """Return what to write at *position* of *text*, where *expected* is missing."""
    character = text[position]
    if is_comment(text, position):
        return NO_COMMENTS
    if character in _QUOTES:
        return 'expected double quotes, as in "text"'
    if character in _INVISIBLE:
        return f"remove the invisible character U+{ord(character):04X}, or replace it with a space"
    if expected == VALUE:
        return _instead_of_value(text, position)
    advice = _INSTEAD_OF_KEY.get(character) if expected == KEY else None
    if text[position - 1] == '"' and re.match(r'["\w]', character):
        advice = r"write a double quote within a string as \""
    return f"expected {expected}" + (f"; {advice}" if advice else "")


def _instead_of_value(text: str, position: int) -> str:
    if text[position] == ",":
        return "expected a value; remove this comma, or write the value before it"
    if text[position] in "}]":
        return f"expected a value before `{text[position]}`"
    if word := _IDENTIFIER.match(text, position):
        return _WORDS.get(word[0].lower(), "expected a value; put text in double quotes")
    if _NUMBER_LIKE.match(text, position) or text[position] in "+-":
        return next((advice for form, advice in _NUMBERS if re.match(form, text[position:])), _NOT_A_NUMBER)
    return f"expected a value; {_INSTEAD_OF_VALUE.get(text[position], 'put text in double quotes')}"


def string_problem(text: str, start: int) -> tuple[int, str]:
    """Return position and advice for the string at *start* of *text*, which is not a string of JSON."""
    position = start + 1
    while position < len(text) and text[position] != '"':
        if text[position] == "\\":
            if not re.match(r'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})', text[position:]):
                return position, r"write a backslash in a string twice, as \\"
            position += 1
        elif text[position] < " ":
            return position, _control_character(text[position])
        position += 1
    return start, "the string that begins here has no end; add a double quote"


def _control_character(character: str) -> str:
    if character in "\r\n":
        return r"a string cannot contain a line break; close it with a double quote, or write the line break as \n"
    if character == "\t":
        return r"a string cannot contain a tab; write it as \t"
    return f"a string cannot contain the control character U+{ord(character):04X}; remove it"
