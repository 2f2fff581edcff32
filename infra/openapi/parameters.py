"""The parameters of an operation for the OpenAPI document: of its path, of its query, and request headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.domain.names import JOB_PATTERN, MAX_JOB_NAME, PROJECT_PATTERN
from infra.openapi.schemas import typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.runtime.operation import Header, Operation

JsonObject = dict[str, Any]

PATH: dict[str, JsonObject] = {
    "project": {
        "description": "The Project's name.",
        "schema": {"type": "string", "pattern": f"^{PROJECT_PATTERN}$", "minLength": 1, "maxLength": 50},
        "example": "team-a",
    },
    "name": {
        "description": "The Job's name.",
        "schema": {"type": "string", "pattern": f"^{JOB_PATTERN}$", "minLength": 1, "maxLength": MAX_JOB_NAME},
        "example": "train-1",
    },
}
"""What every route means by a variable of this name."""


def parameters(variables: Sequence[str], operation: Operation) -> list[JsonObject]:
    """The parameters of *operation*, whose path has *variables*."""
    path = [{"name": name, "in": "path", "required": True, **PATH[name]} for name in variables]
    return path + _query(operation.query) + [_header(header) for header in operation.headers]


def _query(kind: type[msgspec.Struct] | None) -> list[JsonObject]:
    if kind is None:
        return []
    schema = typed(msgspec.json.schema_components([kind])[1][kind.__name__])
    return [
        _query_parameter(name, field, required=name in schema["required"])
        for name, field in schema["properties"].items()
    ]


def _query_parameter(name: str, field: JsonObject, *, required: bool) -> JsonObject:
    """In Python a parameter that may be missing is None; on the wire there is no null."""
    given = next((kind for kind in field.get("anyOf", []) if kind != {"type": "null"}), field)
    schema = {key: value for key, value in given.items() if key not in {"description", "examples"}}
    described = {"name": name, "in": "query", "required": required, "description": given["description"]}
    return {**described, "schema": schema}


def _header(header: Header) -> JsonObject:
    limits = {"pattern": header.pattern, "maxLength": header.max_length}
    schema = {"type": "string", **{name: limit for name, limit in limits.items() if limit}}
    # In words: an `example` would be sent by whoever tries the operation out in Swagger UI, and 412 is the answer.
    description = f"{header.description} For example `{header.example}`."
    return {"name": header.name, "in": "header", "required": False, "description": description, "schema": schema}
