"""Strict parsing of YAML into the types of JSON.

Only null, true and false, as the core schema of YAML 1.2 spells them, and JSON's numbers are converted; all other
plain scalars, such as `yes`, `1:30`, `0644` and `2026-11-24`, are strings. Anchors and aliases are rejected because
they allow billion-laughs expansion. Tags, directives, further documents, duplicate keys and keys that are not strings
are rejected because they make a document mean something other than it shows.
"""

from __future__ import annotations

import codecs
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
_ANCHOR = "repeat the value instead, or put text that begins with & or * in quotes"


def yaml_document(body: bytes, *, literals: bool = False) -> Any:  # noqa: ANN401 - any JSON
    """Parse the only document in *body*; raise MalformedRequest with line, column and what was expected there.

    With *literals*, numbers and booleans are those of `parsing.literals`, which keep how they are written.
    """
    if body.startswith(codecs.BOM_UTF8):
        raise _refused(body)
    try:
        return _Reader(yaml.parse(body.decode("utf-8"), Loader=yaml.CSafeLoader), literals=literals).document()
    except (ValueError, yaml.YAMLError) as error:
        raise _refused(body, error) from error


def _refused(body: bytes, error: Exception | None = None) -> MalformedRequest:
    from chalicelib.domain.parsing import yaml_syntax  # noqa: PLC0415 - only a refused document needs it

    return MalformedRequest(yaml_syntax.explain(body, error))


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
            _reject(start, "a directive", "remove it")
        value = self._value(next(self._events), 0)
        next(self._events)
        if isinstance(second := next(self._events), yaml.DocumentStartEvent):
            _reject(second, "a second document", "upload each document separately")
        return value

    def _value(self, event: yaml.Event, depth: int) -> Any:  # noqa: ANN401 - any JSON
        if not isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) or event.anchor:
            _reject(event, "an anchor or an alias", _ANCHOR)
        if event.tag:
            _reject(event, "a tag", "remove it, or put the value in quotes")
        if depth > MAX_DEPTH:
            _reject(event, f"more than {MAX_DEPTH} levels of nesting", "a Job needs five")
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
                _reject(event, "a key that is not a string", "put it, or a template such as {{ name }}, in quotes")
            if key in mapping:
                _reject(event, "a duplicate key", "remove one of the two")
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
        _reject(event, "a number that is too large", "put it in quotes if it is text")


def _reject(event: yaml.Event, problem: str, advice: str) -> NoReturn:
    mark = event.start_mark
    # A parser sets the mark on all events.
    place = f"line {mark.line + 1}, column {mark.column + 1}"  # type: ignore[union-attr]
    raise MalformedRequest(f"The document has {problem} at {place}; {advice}.")
