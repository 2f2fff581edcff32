"""Strict parsing of YAML into the types of JSON.

Only null, true and false, as the core schema of YAML 1.2 spells them, and JSON's numbers are converted; all other
plain scalars, such as `yes`, `1:30`, `0644` and `2026-11-24`, are strings. Anchors and aliases are rejected because
they allow billion-laughs expansion. Tags, directives, further documents, duplicate keys and keys that are not strings
are rejected because they make a document mean something other than it shows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.parsing.literals import BooleanLiteral
from chalicelib.domain.parsing.strict_json import MAX_DEPTH, json_document

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# JSON's numbers, except those with an exponent but no fraction: 12e4567 can be a commit hash.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)([.][0-9]+([eE][-+]?[0-9]+)?)?")
_BYTE_ORDER_MARK = "\ufeff"


def yaml_document(body: bytes, *, literals: bool = False) -> Any:  # noqa: ANN401 - any JSON
    """Parse the only document in *body*; raise MalformedRequest with the number of the invalid line.

    With *literals*, numbers and booleans are those of `parsing.literals`, which keep how they are written.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequest("The document is not valid UTF-8.") from error
    if text.startswith(_BYTE_ORDER_MARK):
        raise MalformedRequest("The document begins with a byte order mark. Save it as UTF-8 without one.")
    try:
        return _Reader(yaml.parse(text, Loader=yaml.CSafeLoader), literals=literals).document()
    except yaml.MarkedYAMLError as error:
        place = f"Line {error.problem_mark.line + 1} of the document" if error.problem_mark else "The document"
        raise MalformedRequest(f"{place} is not valid YAML.") from error
    except yaml.YAMLError as error:
        raise MalformedRequest("The document contains characters that are not allowed in YAML.") from error


class _Reader:
    """Builds values from the events of a YAML parser; recursion is limited by MAX_DEPTH."""

    def __init__(self, events: Iterator[yaml.Event], *, literals: bool) -> None:
        self._events = events
        self._literals = literals

    def document(self) -> Any:  # noqa: ANN401 - any JSON
        """Return the value of the document; raise MalformedRequest if there is a second one."""
        next(self._events)
        start = next(self._events)
        if not isinstance(start, yaml.DocumentStartEvent):
            return None
        if start.version or start.tags:
            _reject(start, "has a directive; remove it")
        value = self._value(next(self._events), 0)
        next(self._events)
        if isinstance(second := next(self._events), yaml.DocumentStartEvent):
            _reject(second, "begins a second document; upload each document separately")
        return value

    def _value(self, event: yaml.Event, depth: int) -> Any:  # noqa: ANN401 - any JSON
        if not isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) or event.anchor:
            _reject(event, "has an anchor or an alias; repeat the value instead")
        if event.tag:
            _reject(event, "has a tag; remove it")
        if depth > MAX_DEPTH:
            _reject(event, f"exceeds {MAX_DEPTH} levels of nesting")
        match event:
            case yaml.ScalarEvent():
                return _scalar(event, literals=self._literals)
            case yaml.SequenceStartEvent():
                return [self._value(item, depth + 1) for item in self._until(yaml.SequenceEndEvent)]
        return self._mapping(depth + 1)

    def _mapping(self, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            key = self._value(event, depth)
            if not isinstance(key, str):
                _reject(event, "has a key that is not a string; put it in quotes")
            if key in mapping:
                _reject(event, "has a duplicate key")
            mapping[key] = self._value(next(self._events), depth)
        return mapping

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event


def _scalar(event: yaml.ScalarEvent, *, literals: bool) -> Any:  # noqa: ANN401 - null, a boolean, a number or a string
    text: str = event.value
    if event.style:
        return text
    if text in _WORDS:
        value = _WORDS[text]
        return BooleanLiteral(text) if literals and value is not None else value
    try:
        return json_document(text.encode(), literals=literals) if _NUMBER.fullmatch(text) else text
    except MalformedRequest:
        _reject(event, "has a number that is too large")


def _reject(event: yaml.Event, problem: str) -> NoReturn:
    line = event.start_mark.line + 1  # type: ignore[union-attr] # a parser sets it on all events
    raise MalformedRequest(f"Line {line} of the document {problem}.")
