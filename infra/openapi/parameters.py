"""The parameters of an operation in the OpenAPI document: path parameters, query parameters and request headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.domain.names import JOB_PATTERN, MAX_JOB_NAME, PROJECT_PATTERN
from infra.openapi.portable import portable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.runtime.operation import Header, Operation

JsonObject = dict[str, Any]

PATH: dict[str, JsonObject] = {
    "project": {
        "description": "The name of the Project.",
        "schema": {"type": "string", "pattern": f"^{PROJECT_PATTERN}$", "minLength": 1, "maxLength": 50},
        "example": "team-a",
    },
    "name": {
        "description": "The name of the Job.",
        "schema": {"type": "string", "pattern": f"^{JOB_PATTERN}$", "minLength": 1, "maxLength": MAX_JOB_NAME},
        "example": "train-1",
    },
}
"""Path parameters by name, the same for every route."""
REQUIRED: dict[str, JsonObject] = {"label": {"example": "sweep=7"}}
"""Examples of the query parameters that an operation requires; Swagger UI sends an example by default."""


def parameters(variables: Sequence[str], operation: Operation) -> list[JsonObject]:
    """Return the parameters of *operation*, whose path has these *variables*."""
    path = [{"name": name, "in": "path", "required": True, **PATH[name]} for name in variables]
    return path + _query(operation.query) + [_header(header) for header in operation.headers]


def _query(kind: type[msgspec.Struct] | None) -> list[JsonObject]:
    if kind is None:
        return []
    schema = msgspec.json.schema_components([kind])[1][kind.__name__]
    return [
        _query_parameter(name, field, required=name in schema["required"])
        for name, field in schema["properties"].items()
    ]


def _query_parameter(name: str, field: JsonObject, *, required: bool) -> JsonObject:
    """Return the parameter of a *field*, without null: an optional parameter is None in Python and missing in a URL."""
    typed_field = next((kind for kind in field.get("anyOf", []) if kind != {"type": "null"}), field)
    schema = portable({key: value for key, value in typed_field.items() if key not in {"description", "examples"}})
    description = typed_field["description"]
    commas: JsonObject = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    example = REQUIRED[name] if required else {}
    parameter = {"name": name, "in": "query", "required": required, "description": description}
    return {**parameter, **commas, "schema": schema, **example}


def _header(header: Header) -> JsonObject:
    limits = {"pattern": header.pattern, "maxLength": header.max_length}
    schema = {"type": "string", **{name: limit for name, limit in limits.items() if limit}}
    # In the description: Swagger UI would send an `example` by default, and the response would be 412.
    description = f"{header.description} Example: `{header.example}`."
    return {"name": header.name, "in": "header", "required": False, "description": description, "schema": schema}
