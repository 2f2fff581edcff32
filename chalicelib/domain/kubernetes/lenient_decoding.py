"""Decode objects of the API server without the values that msgspec rejects, so that one object cannot break a list.

The API server accepts `managedFields` with 9,995 levels, and dates such as year 0 and year 10000. Any client that can
create a Job can write the former, and any client that can write its status the latter. msgspec rejects both, and the
whole list with them. This module therefore removes a value that cannot be decoded and decodes the rest of the object as
if the value were not set.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

Decoded = TypeVar("Decoded")

MAX_LEVELS = 64
"""Maximum levels of nested arrays and objects; regular Kubernetes objects have less than 20."""
MAX_REMOVED = 16
"""Values that are removed from an object one by one; after that, top-level fields are removed as a whole."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]`]+)|\[(\d+)\]")


def decode(body: bytes, kind: type[Decoded]) -> Decoded:
    """Decode *body* as *kind* without invalid values; raise msgspec.DecodeError if it is not a JSON object."""
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError:
        body = shallow(body)
    except msgspec.ValidationError:
        pass
    return convert(msgspec.json.decode(body), kind)


def convert(document: Any, kind: type[Decoded]) -> Decoded:  # noqa: ANN401 - any JSON
    """Convert *document* to *kind* without invalid values; each item of a list is converted separately.

    Raises: msgspec.ValidationError: *document* is not an object.
    """
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or "items" not in getattr(kind, "__struct_fields__", ()):
        return _convert(document, kind)
    (item_kind,) = get_args(get_type_hints(kind)["items"])
    converted = [_convert(item, item_kind) for item in items if isinstance(item, dict)]
    return _convert({**document, "items": converted}, kind)


def shallow(body: bytes) -> bytes:
    """Replace each array and object of *body* that is nested deeper than MAX_LEVELS with null."""
    parts, depth, copied_until = [], 0, 0
    for token in _TOKEN.finditer(body):
        if token[0] in b"{[":
            depth += 1
            if depth == MAX_LEVELS + 1:
                parts += [body[copied_until : token.start()], b"null"]
        elif token[0] in b"}]":
            if depth == MAX_LEVELS + 1:
                copied_until = token.end()
            depth -= 1
    return b"".join([*parts, body[copied_until:]])


def _convert(document: Any, kind: type[Decoded]) -> Decoded:  # noqa: ANN401 - any JSON
    for attempt in range(2 * MAX_REMOVED):
        try:
            return msgspec.convert(document, kind)
        except msgspec.ValidationError as error:
            # The message does not contain the key of a mapping ("[...]"), so the whole mapping is removed.
            location = str(error).partition(" - at `$")[2].partition("[...]")[0]
            path = [name or index for name, index in _STEP.findall(location)]
            if not path:
                raise
            document = _without(document, path if attempt < MAX_REMOVED else path[:1])
    return kind()


def _without(value: Any, path: list[str]) -> Any:  # noqa: ANN401 - any JSON
    """Return a copy of *value* without the member at *path*."""
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        index = int(step)
        return [*value[:index], *([_without(value[index], rest)] if rest else []), *value[index + 1 :]]
    others = {name: inner for name, inner in value.items() if name != step}
    return {**others, step: _without(value[step], rest)} if rest else others
