"""Decode what the API server stores although it is not what a reader expects: one object must not hide all others.

The API server accepts `managedFields` of 9,995 levels, and dates such as year 0 and year 10000. Whoever may create a
Job may write the former, whoever may write a status the latter. msgspec refuses both, and with them the whole list. So
a value that cannot be decoded is left out, and the rest of its object is read as if the value were not set.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

Found = TypeVar("Found")

MAX_LEVELS = 64
"""Levels of lists and objects that are read; those of Kubernetes have less than 20."""
MAX_LEFT_OUT = 16
"""Values that are left out of an object one at a time; what is odd more often is left out as a whole."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]`]+)|\[(\d+)\]")


def decode(body: bytes, kind: type[Found]) -> Found:
    """Decode *body* as *kind*, without what cannot be decoded; msgspec.DecodeError when it is no object in JSON."""
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError:
        body = shallow(body)
    except msgspec.ValidationError:
        pass
    return convert(msgspec.json.decode(body), kind)


def convert(document: Any, kind: type[Found]) -> Found:  # noqa: ANN401 - whatever JSON holds
    """Convert *document*, and each item of a list by itself, to *kind* without what does not fit.

    Raises: msgspec.ValidationError: *document* is no object.
    """
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or "items" not in getattr(kind, "__struct_fields__", ()):
        return _converted(document, kind)
    (item_kind,) = get_args(get_type_hints(kind)["items"])
    read = [_converted(item, item_kind) for item in items if isinstance(item, dict)]
    return _converted({**document, "items": read}, kind)


def shallow(body: bytes) -> bytes:
    """Replace by null each list and object of *body* that is below MAX_LEVELS others."""
    parts, depth, kept_until = [], 0, 0
    for token in _TOKEN.finditer(body):
        if token[0] in b"{[":
            depth += 1
            if depth == MAX_LEVELS + 1:
                parts += [body[kept_until : token.start()], b"null"]
        elif token[0] in b"}]":
            if depth == MAX_LEVELS + 1:
                kept_until = token.end()
            depth -= 1
    return b"".join([*parts, body[kept_until:]])


def _converted(document: Any, kind: type[Found]) -> Found:  # noqa: ANN401 - whatever JSON holds
    for attempt in range(2 * MAX_LEFT_OUT):
        try:
            return msgspec.convert(document, kind)
        except msgspec.ValidationError as error:
            # Of a mapping the message does not tell the key ("[...]"): it is left out as a whole.
            place = str(error).partition(" - at `$")[2].partition("[...]")[0]
            path = [name or index for name, index in _STEP.findall(place)]
            if not path:
                raise
            document = _without(document, path if attempt < MAX_LEFT_OUT else path[:1])
    return kind()


def _without(value: Any, path: list[str]) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Copy *value* without what is at *path*."""
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        place = int(step)
        return [*value[:place], *([_without(value[place], rest)] if rest else []), *value[place + 1 :]]
    others = {name: inner for name, inner in value.items() if name != step}
    return {**others, step: _without(value[step], rest)} if rest else others
