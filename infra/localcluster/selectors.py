"""Label and field selectors of list requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from infra.localcluster.status_errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.localcluster.kinds import Document, Kind

Labels = "Mapping[str, str]"

_COMMA = re.compile(r",(?![^(]*\))")
_SET = re.compile(r"(?P<key>[\w./-]+)\s+(?P<operator>in|notin)\s+\((?P<values>[^)]*)\)")
_EQUALITY = re.compile(r"(?P<key>[\w./-]+)\s*(?P<operator>==|=|!=)\s*(?P<values>[\w.-]*)")
_EXISTENCE = re.compile(r"(?P<operator>!?)(?P<key>[\w./-]+)")
_FIELD = re.compile(r"(?P<path>[^=!]+)(?P<operator>==|=|!=)(?P<value>.*)")


def by_labels(selector: str) -> Callable[[Mapping[str, str]], bool]:
    """Return a predicate for labels; raise StatusError 400 if *selector* is invalid."""
    terms = [_label_term(term.strip()) for term in _COMMA.split(selector) if term.strip()]
    return lambda labels: all(term(labels) for term in terms)


def by_fields(selector: str, kind: Kind) -> Callable[[Document], bool]:
    """Return a predicate for objects of *kind*; raise StatusError 400 for a field that has no selector."""
    terms = [_field_term(term, kind) for term in selector.split(",") if term]
    return lambda document: all(term(document) for term in terms)


def at(document: Document, path: str) -> Any:  # noqa: ANN401 - JSON
    """Return the value at the dotted *path*, or None."""
    value: Any = document
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _label_term(term: str) -> Callable[[Mapping[str, str]], bool]:
    match = _SET.fullmatch(term) or _EQUALITY.fullmatch(term) or _EXISTENCE.fullmatch(term)
    if match is None:
        raise bad_request(f"unable to parse requirement: found '{term}', expected: a label selector")
    key, operator = match["key"], match["operator"]
    if "values" not in match.groupdict():
        return lambda labels: (key in labels) != (operator == "!")
    values = {value.strip() for value in match["values"].split(",")}
    return lambda labels: (labels.get(key) in values) == (operator in ("in", "=", "=="))


def _field_term(term: str, kind: Kind) -> Callable[[Document], bool]:
    match = _FIELD.fullmatch(term)
    path = match["path"] if match else ""
    if match is None or path not in (*kind.fields, "metadata.name", "metadata.namespace"):
        raise bad_request(f'field label "{path or term}" not supported for {kind.name}')
    value, equal = match["value"], match["operator"] != "!="
    return lambda document: (str(at(document, path) or "") == value) == equal
