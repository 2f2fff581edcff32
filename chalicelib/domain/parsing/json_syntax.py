"""What is wrong with a document that is not strict JSON: where, and how to write it. Imported only for refusals.

The libraries that parse JSON report a position at most. This scanner stops at the first character that RFC 8259, or a
rule of `strict_json`, does not allow, and says what to write instead. It needs no recursion, and shows no part of the
document.
"""

from __future__ import annotations

import json
import math
import re

from chalicelib.domain.parsing.json_tokens import KEY, NO_COMMENTS, VALUE, is_comment, string_problem, unexpected
from chalicelib.domain.parsing.text_formats import MINIMAL, other_format

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![\w.+:%-]|/[^/*])")
_WORD = re.compile(r"(?:true|false|null)(?!\w)")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MAX_DIGITS = 4300
"""Python's limit for the digits of an integer."""
_CLOSING = {"{": "}", "[": "]"}


class SyntaxProblem(Exception):
    """The first problem of a document: its *position* and what to do."""

    def __init__(self, position: int, advice: str) -> None:
        super().__init__(advice)
        self.position = position
        self.advice = advice


def explain(body: bytes, thing: str, max_depth: int) -> str:
    """Return the sentence about *body*, which is not strict JSON; *thing* is the noun for it, such as `body`."""
    if format_problem := other_format(body, "JSON", thing):
        return format_problem
    text = body.decode("utf-8")
    try:
        _Scanner(text, thing, max_depth).scan()
    except SyntaxProblem as problem:
        line = text.count("\n", 0, problem.position) + 1
        column = problem.position - text.rfind("\n", 0, problem.position)
        return f"The {thing} is not valid JSON at line {line}, column {column}: {problem.advice}."
    return f"The {thing} is not valid JSON. Duplicate keys, NaN and lone surrogates are rejected."


class _Scanner:
    """Scans one document; *open* has the bracket, the position and the keys of each array and object around."""

    def __init__(self, text: str, thing: str, max_depth: int) -> None:
        self._text = text
        self._thing = thing
        self._max_depth = max_depth
        self._position = 0
        self._open: list[tuple[str, int, set[str]]] = []

    def scan(self) -> None:
        """Raise SyntaxProblem at the first problem."""
        self._skip_space()
        self._value()
        while self._open:
            self._member()
        if self._skip_space() < len(self._text):
            raise SyntaxProblem(self._position, self._after_the_end())

    def _after_the_end(self) -> str:
        if is_comment(self._text, self._position):
            return NO_COMMENTS
        if self._text[self._position] == ":":
            return f"expected the end of the {self._thing}; put the fields within {{ and }}"
        if self._text[self._position] in "{[":
            return f"a second document begins; send one document in each {self._thing}"
        return f"expected the end of the {self._thing}; remove what follows the last closing bracket"

    def _member(self) -> None:
        """Scan the next member of the innermost array or object, with the comma before it, or its end."""
        bracket, opened, keys = self._open[-1]
        closing, is_first = _CLOSING[bracket], self._position == opened + 1
        self._skip_space()
        if self._next(f"`{closing}`") == closing:
            self._close()
            return
        if not is_first:
            self._comma(closing)
        if bracket == "{":
            self._key(keys)
        self._value()

    def _comma(self, closing: str) -> None:
        comma = self._position
        if self._text[comma] != ",":
            raise SyntaxProblem(comma, unexpected(self._text, comma, f"a comma or `{closing}`"))
        self._position += 1
        self._skip_space()
        if self._text[self._position : self._position + 1] in ("}", "]"):
            raise SyntaxProblem(comma, f"remove the trailing comma before `{self._text[self._position]}`")

    def _key(self, keys: set[str]) -> None:
        start = self._position
        if self._next(KEY) != '"':
            raise SyntaxProblem(start, unexpected(self._text, start, KEY))
        key = self._string()
        if key in keys:
            raise SyntaxProblem(start, "this object already has this key; remove one of the two")
        keys.add(key)
        self._skip_space()
        if self._next("a colon after the key") != ":":
            raise SyntaxProblem(
                self._position, unexpected(self._text, self._position, "a colon between the key and its value")
            )
        self._position += 1
        self._skip_space()

    def _value(self) -> None:
        first = self._next(VALUE)
        if first in _CLOSING:
            if len(self._open) >= self._max_depth:
                raise SyntaxProblem(self._position, f"more than {self._max_depth} levels of arrays and objects")
            self._open.append((first, self._position, set()))
            self._position += 1
        elif first == '"':
            self._string()
        elif match := _NUMBER.match(self._text, self._position):
            if len(match[0]) > _MAX_DIGITS or math.isinf(float(match[0])):
                raise SyntaxProblem(self._position, "this number is too large; put it in double quotes if it is text")
            self._position = match.end()
        elif match := _WORD.match(self._text, self._position):
            self._position = match.end()
        elif self._open or is_comment(self._text, self._position):
            raise SyntaxProblem(self._position, unexpected(self._text, self._position, VALUE))
        else:
            raise SyntaxProblem(self._position, f"expected an object or an array, such as {MINIMAL}")

    def _string(self) -> str:
        match = _STRING.match(self._text, self._position)
        if match is None:
            raise SyntaxProblem(*string_problem(self._text, self._position))
        text = str(json.loads(match[0])) if "\\" in match[0] else match[0]
        if _SURROGATE.search(text):
            raise SyntaxProblem(self._position, "this string has half of a surrogate pair; write the character itself")
        self._position = match.end()
        return text if "\\" in match[0] else text[1:-1]

    def _close(self) -> None:
        self._position += 1
        self._open.pop()

    def _skip_space(self) -> int:
        match = _SPACE.match(self._text, self._position)
        self._position = match.end() if match else self._position
        return self._position

    def _next(self, expected: str) -> str:
        """Return the next character; SyntaxProblem where the document, which is not empty, ends instead."""
        if self._position < len(self._text):
            return self._text[self._position]
        bracket, opened, _ = self._open[-1]
        line = self._text.count("\n", 0, opened) + 1
        problem = f"the {self._thing} ends here; expected {expected}: the `{bracket}` in line {line} is not closed"
        raise SyntaxProblem(self._position, problem)
