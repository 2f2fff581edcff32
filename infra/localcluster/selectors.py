"""Label and field selectors, as in the query of a list."""

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
    """Whether labels match *selector*; Refusal 400 when it cannot be read."""
    terms = [_label_term(term.strip()) for term in _COMMA.split(selector) if term.strip()]
    return lambda labels: all(term(labels) for term in terms)


def by_fields(selector: str, kind: Kind) -> Callable[[Document], bool]:
    """Whether an object of *kind* matches *selector*; Refusal 400 for a field that cannot be asked."""
    terms = [_field_term(term, kind) for term in selector.split(",") if term]
    return lambda document: all(term(document) for term in terms)


def at(document: Document, path: str) -> Any:  # noqa: ANN401 - JSON
    """What stands at the dotted *path*, or None."""
    here: Any = document
    for key in path.split("."):
        here = here.get(key) if isinstance(here, dict) else None
    return here


def _label_term(term: str) -> Callable[[Mapping[str, str]], bool]:
    found = _SET.fullmatch(term) or _EQUALITY.fullmatch(term) or _EXISTENCE.fullmatch(term)
    if found is None:
        raise bad_request(f"unable to parse requirement: found '{term}', expected: a label selector")
    key, operator = found["key"], found["operator"]
    if "values" not in found.groupdict():
        return lambda labels: (key in labels) != (operator == "!")
    values = {value.strip() for value in found["values"].split(",")}
    return lambda labels: (labels.get(key) in values) == (operator in ("in", "=", "=="))


def _field_term(term: str, kind: Kind) -> Callable[[Document], bool]:
    found = _FIELD.fullmatch(term)
    path = found["path"] if found else ""
    if found is None or path not in (*kind.fields, "metadata.name", "metadata.namespace"):
        raise bad_request(f'field label "{path or term}" not supported for {kind.name}')
    value, equal = found["value"], found["operator"] != "!="
    return lambda document: (str(at(document, path) or "") == value) == equal
