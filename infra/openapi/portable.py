"""Rewrite the schemas of pydantic and msgspec so that client generators produce the right types from them.

Each rule has the name of the generator that needs it:

- a nullable value has the type `[<type>, "null"]`: openapi-generator merges equal `anyOf`, with the first description;
- a closed list of words is a component with a name: each generator makes up another name for an inline one;
- a property has no `default`: openapi-typescript requires fields that have one; the description says the default;
- a boolean has no `const`: openapi-generator writes Java that does not compile, and Python that rejects every value.
"""

from __future__ import annotations

import json
from typing import Any, get_args

from chalicelib.domain.diagnosis.causes import Cause
from chalicelib.domain.errors import CATALOGUE
from chalicelib.domain.job.index_list import IndexStatus
from chalicelib.domain.job.lifecycle import Until
from chalicelib.domain.job.status import Status

JsonObject = dict[str, Any]

REFERENCE = "#/components/schemas/"
NULL: JsonObject = {"type": "null"}

ENUMS: dict[str, tuple[str, frozenset[str]]] = {
    "DiagnosisCause": ("The cause of a Job's current state.", frozenset(get_args(Cause))),
    "ImagePullPolicy": ("When the node pulls the image.", frozenset({"Always", "IfNotPresent", "Never"})),
    "IndexStatus": ("Whether an index has succeeded or failed.", frozenset(get_args(IndexStatus))),
    "JobInclude": ("What to add to a Job.", frozenset({"submission"})),
    "JobOutcome": ("How a Job ended.", frozenset({"Failed", "Succeeded", "Unknown"})),
    "JobStatus": ("The status of a Job; `reason` and `message` have the details.", frozenset(get_args(Status))),
    "JobType": ("The type of a Job.", frozenset({"Interactive", "Train"})),
    "ListWaitTarget": ("What a list waits for.", frozenset({"finished"})),
    "ProblemCode": ("The stable code of an error.", frozenset(CATALOGUE)),
    "Shell": ("The shell that runs a script.", frozenset({"bash", "sh"})),
    "WaitTarget": ("What to wait for.", frozenset(get_args(Until))),
}
"""The closed lists of words by name, with their descriptions."""
DEFAULT = " Default: "
"""Between the description of a property and its default."""
_NAMES = {words: name for name, (_, words) in ENUMS.items()}


def enum_components() -> dict[str, JsonObject]:
    """Return the components of ENUMS."""
    return {
        name: {"title": name, "description": description, "type": "string", "enum": sorted(words)}
        for name, (description, words) in ENUMS.items()
    }


def portable(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Return *schema*, or any part of one, with these rules applied."""
    if isinstance(schema, list):
        return [portable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: portable(part) for name, part in schema.items()}
    if isinstance(parts.get("properties"), dict):
        parts["properties"] = {name: _without_default(field) for name, field in parts["properties"].items()}
    return _flat(_boolean(_named(parts)))


def nullable(schema: JsonObject) -> JsonObject:
    """Return *schema* with null as a further value."""
    about: JsonObject = {key: schema[key] for key in ("description", "examples") if key in schema}
    rest = {key: part for key, part in schema.items() if key not in about}
    return _flat({**about, "anyOf": [*rest.get("anyOf", [rest]), NULL]})


def default_sentence(value: object) -> str:
    """Return the sentence that describes a default, or nothing if the field is just missing by default."""
    return "" if value is None or value in ([], {}) else f"{DEFAULT}`{json.dumps(value)}`."


def _named(schema: JsonObject) -> JsonObject:
    """Refer to the component that has the words of *schema*."""
    name = _NAMES.get(frozenset(map(str, schema["enum"]))) if isinstance(schema.get("enum"), list) else None
    if name is None:
        return schema
    return {key: schema[key] for key in ("description", "examples") if key in schema} | {"$ref": REFERENCE + name}


def _boolean(schema: JsonObject) -> JsonObject:
    if not isinstance(schema.get("const"), bool):
        return schema
    rest = {key: part for key, part in schema.items() if key != "const"}
    return {**rest, "not": {"enum": [not schema["const"]]}}


def _flat(schema: JsonObject) -> JsonObject:
    """Replace the `anyOf` of one type and null by a list of both."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != NULL]
    if "anyOf" not in schema or len(kinds) == len(schema["anyOf"]):
        return schema
    if len(kinds) > 1 or "$ref" in kinds[0]:
        return {**schema, "anyOf": [*kinds, NULL]}
    about = {key: part for key, part in schema.items() if key != "anyOf"}
    types = kinds[0]["type"] if isinstance(kinds[0]["type"], list) else [kinds[0]["type"], "null"]
    return {**kinds[0], **about, "type": types}


def _without_default(field: JsonObject) -> JsonObject:
    if "default" not in field:
        return field
    rest = {key: part for key, part in field.items() if key != "default"}
    text = rest.get("description", "").rstrip() + default_sentence(field["default"])
    return {**rest, "description": text.strip()} if text else rest
