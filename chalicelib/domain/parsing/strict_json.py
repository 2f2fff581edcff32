"""JSON and query parameters, read strictly: no name twice, no number that is none, no field dropped."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from chalicelib.domain.errors import FieldError, MalformedRequest, pointer_step
from chalicelib.domain.parsing import validation_messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Parsed = TypeVar("Parsed")

MAX_DEPTH = 32
"""Levels of lists and objects in each other, in JSON as in YAML; a Job needs five. Without a bound of ours it would be
the interpreter's: about 1,000 levels on Python 3.11 and 10,000 on 3.13, which is more than can be encoded again."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def json_document(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What *body* holds: UTF-8, of at most MAX_DEPTH levels; MalformedRequest otherwise."""
    try:
        msgspec.json.decode(body)  # stricter than json about UTF-8, surrogates and numbers, but takes a name twice
        document = json.loads(body, object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(
            "The body is not valid JSON. Duplicate keys, NaN and lone surrogates are rejected."
        ) from error
    if is_deeper(document, MAX_DEPTH):
        raise MalformedRequest(f"The body has more than {MAX_DEPTH} levels of lists and objects in each other.")
    return document


def is_deeper(document: object, levels: int) -> bool:
    """Whether lists and objects of *document*, which comes from JSON, stand in each other more than *levels* deep."""
    inner: list[object] = [document]
    for _ in range(levels + 1):
        inner = [value for outer in inner for value in _values(outer)]
        if not inner:
            return False
    return True


def _values(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def query_parameters(given: Mapping[str, Sequence[str]], kind: type[Parsed]) -> Parsed:
    """The query parameters as *kind*, a msgspec Struct; MalformedRequest names what is wrong."""
    if any(_SURROGATE.search(text) for name, values in given.items() for text in (name, *values)):
        raise MalformedRequest("The query is not text in UTF-8.")
    refused = [FieldError("/" + name[:64], "must be sent once") for name, values in given.items() if len(values) > 1]
    texts = {name: values[0] for name, values in given.items()}
    try:
        parsed = msgspec.convert(texts, kind, strict=False)
        refused += [FieldError("/" + name, "is not written so") for name in _non_canonical(texts, parsed)]
    except msgspec.ValidationError as error:
        refused.append(field_error(error))
    if refused:
        raise MalformedRequest("The query cannot be read; errors names the parameters.", tuple(refused))
    return parsed


def field_error(error: msgspec.ValidationError) -> FieldError:
    """Where and why a value does not fit its type."""
    message, _, place = str(error).partition(" - at `$")
    named, rule = validation_messages.of_msgspec(message)
    steps = (field or index for field, index in _STEP.findall(place.removesuffix("`")))
    pointer = "".join("/" + step for step in steps) + (pointer_step(named[:64]) if named else "")
    return FieldError(pointer, rule)


def _non_canonical(texts: Mapping[str, str], parsed: object) -> list[str]:
    """The parameters that msgspec took although they are not how the value is written: 1e2 for 100, TRUE, null."""
    written = {name: _as_text(value) for name, value in msgspec.to_builtins(parsed).items()}
    return [name for name, text in texts.items() if text != written[name]]


def _as_text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of *pairs*, for json; ValueError when a name stands twice."""
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a name stands twice")
    return document
