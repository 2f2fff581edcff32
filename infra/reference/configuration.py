"""The configuration of a stage: its JSON Schema, and a table of its fields."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.configuration import Configuration
from infra.reference.markdown import code, table

if TYPE_CHECKING:
    from collections.abc import Iterator

JsonObject = dict[str, Any]


def schema() -> str:
    """Return the JSON Schema of the file."""
    return json.dumps(_schema(), indent=2, ensure_ascii=False) + "\n"


def fields() -> str:
    """Return a table of the fields, with the path of each."""
    document = _schema()
    return table(["field", "default", "effect"], _rows(document, document["$defs"], document, ""))


def _schema() -> JsonObject:
    return msgspec.json.schema(Configuration) | {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def _rows(part: JsonObject, definitions: JsonObject, document: JsonObject, path: str) -> Iterator[list[str]]:
    """Yield a row for each field of the object *part*, and then those of the objects in it."""
    part = definitions[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    for name, field in part.get("properties", {}).items():
        yield [code(path + name), _default(name, field, part), field.get("description", "")]
        for inner, suffix in _objects(field):
            yield from _rows(inner, definitions, document, f"{path}{name}{suffix}.")


def _objects(field: JsonObject) -> Iterator[tuple[JsonObject, str]]:
    """Yield the objects in *field*, each with the suffix of its path."""
    for kind in field.get("anyOf", [field]):
        if "$ref" in kind:
            yield kind, ""
        elif "$ref" in kind.get("items", {}):
            yield kind["items"], "[]"


def _default(name: str, field: JsonObject, part: JsonObject) -> str:
    if name in part.get("required", ()):
        return "**required**"
    default = field.get("default")
    return code(json.dumps(default)) if default not in (None, "", [], {}) else ""
