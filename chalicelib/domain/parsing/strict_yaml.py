"""YAML, read strictly: what comes out is what the same text in JSON would be, and nothing is made of it twice.

Of plain words only null, true and false, as YAML 1.2's core schema spells them, and JSON's numbers have a meaning;
`yes`, `1:30`, `0644` and `2026-11-24` are the texts that they look like. Anchors, aliases, tags, directives, several
documents, keys that stand twice or are no text are refused: the first are how a few bytes become many, and the
others how a document comes to mean something else than it says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.parsing.strict_json import MAX_DEPTH, json_document

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# JSON's, but for an exponent without a fraction: 12e4567 is how a commit is called.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)([.][0-9]+([eE][-+]?[0-9]+)?)?")
_BYTE_ORDER_MARK = "\ufeff"


def yaml_document(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What the one document in *body* holds, in JSON's types; MalformedRequest names the line that is refused."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequest("The document is not text in UTF-8.") from error
    if text.startswith(_BYTE_ORDER_MARK):
        raise MalformedRequest("The document begins with a byte order mark. Save it as UTF-8 without one.")
    try:
        return _Reader(yaml.parse(text, Loader=yaml.CSafeLoader)).document()
    except yaml.MarkedYAMLError as error:
        where = f"Line {error.problem_mark.line + 1} of the document" if error.problem_mark else "The document"
        raise MalformedRequest(f"{where} cannot be read as YAML.") from error
    except yaml.YAMLError as error:
        raise MalformedRequest("The document has characters that YAML does not take.") from error


class _Reader:
    """Makes values of a parser's events; recursion is as deep as the document, which is bounded."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events

    def document(self) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The value of the first document, which is the last."""
        next(self._events)
        start = next(self._events)
        if not isinstance(start, yaml.DocumentStartEvent):
            return None
        if start.version or start.tags:
            _refuse(start, "has a directive; leave it out")
        value = self._value(next(self._events), 0)
        next(self._events)
        if isinstance(second := next(self._events), yaml.DocumentStartEvent):
            _refuse(second, "begins a second document; upload each on its own")
        return value

    def _value(self, event: yaml.Event, depth: int) -> Any:  # noqa: ANN401 - whatever JSON holds
        if not isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) or event.anchor:
            _refuse(event, "has an anchor or an alias; write the value out")
        if event.tag:
            _refuse(event, "has a tag; leave it out")
        if depth > MAX_DEPTH:
            _refuse(event, "is nested too deeply")
        match event:
            case yaml.ScalarEvent():
                return _scalar(event)
            case yaml.SequenceStartEvent():
                return [self._value(one, depth + 1) for one in self._until(yaml.SequenceEndEvent)]
        return self._mapping(depth + 1)

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            key = self._value(event, depth)
            if not isinstance(key, str):
                _refuse(event, "has a key that is not text; put it in quotes")
            if key in found:
                _refuse(event, "has a key for the second time")
            found[key] = self._value(next(self._events), depth)
        return found

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event


def _scalar(event: yaml.ScalarEvent) -> Any:  # noqa: ANN401 - null, a boolean, a number or text
    text: str = event.value
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    try:
        return json_document(text.encode()) if _NUMBER.fullmatch(text) else text
    except MalformedRequest:
        _refuse(event, "has a number that is too large")


def _refuse(event: yaml.Event, why: str) -> NoReturn:
    line = event.start_mark.line + 1  # type: ignore[union-attr] # a parser marks all its events
    raise MalformedRequest(f"Line {line} of the document {why}.")
