"""A hypothesis strategy for all valid Submissions, built from the JSON Schema of the model."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidJob
from chalicelib.domain.kubernetes.quantities import MEMORY_PATTERN
from chalicelib.domain.submission.image import IMAGE_PATTERN
from chalicelib.domain.submission.model import Submission, parse_submission

Schema = dict[str, Any]
UNITS = ("", "k", "K", "M", "G", "T", "Ki", "Mi", "Gi", "Ti")
"""Memory units; 32 of the largest are the most that a node can have."""
IMAGES = (
    r"([a-z]{1,8}[.][a-z]{2}(:[0-9]{1,4})?/)?[a-z]{1,9}(/[a-z]{1,9}-a)?(:[A-Z_][-a-z.]{0,9})?(@sha256:[a-f0-9]{64})?"
)
"""Images with a host, which IMAGE_PATTERN cannot tell from a repository, or without one."""
MAX_ITEMS = 3
"""The most items of a list or map in an example: more would test nothing new."""


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """Return JSON of valid submissions: each field is valid by its schema; conflicting fields are removed."""
    schema = Submission.model_json_schema()
    return _values(schema, schema["$defs"]).map(_without_conflicts)


def submissions() -> st.SearchStrategy[Submission]:
    """Return valid Submissions."""
    return documents().map(parse_submission)


def _without_conflicts(document: dict[str, Any]) -> dict[str, Any]:
    """Return *document* without the fields that conflict with others."""
    try:
        parse_submission(document)
    except InvalidJob as error:
        conflicting = {each.pointer.split("/")[1] for each in error.errors}
        return _without_conflicts({name: value for name, value in document.items() if name not in conflicting})
    return document


def _values(schema: Schema, definitions: Schema) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _values(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return st.one_of([_values(each, definitions) for each in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    match schema["type"]:
        case "object":
            return _objects(schema, definitions)
        case "array":
            return st.lists(_values(schema["items"], definitions), max_size=MAX_ITEMS)
    return _scalars(schema)


def _scalars(schema: Schema) -> st.SearchStrategy[Any]:
    match schema["type"]:
        case "string":
            return _strings(schema)
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
    return st.none()


def _strings(schema: Schema) -> st.SearchStrategy[str]:
    if schema.get("pattern") == f"^{MEMORY_PATTERN}$":
        return st.builds("{}{}".format, st.integers(1, 32), st.sampled_from(UNITS))
    if schema.get("pattern") == f"^{IMAGE_PATTERN}$":
        return st.from_regex(IMAGES, fullmatch=True)
    longest = schema.get("maxLength", 64)
    pattern = schema.get("pattern", "[a-z]+(/[a-z]+)?").removeprefix("^").removesuffix("$")
    return st.from_regex(pattern, fullmatch=True).filter(lambda text: len(text) <= longest)


def _objects(schema: Schema, definitions: Schema) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in schema:
        ((pattern, values),) = schema.get("patternProperties", {"": schema.get("additionalProperties")}).items()
        named = {"pattern": pattern} if pattern else {}
        return st.dictionaries(_strings(named), _values(values, definitions), max_size=MAX_ITEMS)
    fields = {name: _values(field, definitions) for name, field in schema["properties"].items()}
    required = {name: fields.pop(name) for name in schema.get("required", [])}
    return st.fixed_dictionaries(required, optional=fields)
