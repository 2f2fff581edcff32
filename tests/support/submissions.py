"""Every Submission there can be: a hypothesis strategy made from the model's own JSON Schema."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidJob
from chalicelib.domain.kubernetes.quantities import MEMORY_PATTERN
from chalicelib.domain.submission.model import Submission, parse_submission

Schema = dict[str, Any]
UNITS = ("", "k", "K", "M", "G", "T", "Ki", "Mi", "Gi", "Ti")
"""Of memory; 32 of the largest are as much as a node can have."""
MOST = 3
"""Items of lists and maps: more of the same proves no more."""


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """JSON of valid submissions: each field is valid by its schema; fields that contradict others are left out."""
    schema = Submission.model_json_schema()
    return _values(schema, schema["$defs"]).map(_agreeing)


def submissions() -> st.SearchStrategy[Submission]:
    """Valid Submissions."""
    return documents().map(parse_submission)


def _agreeing(document: dict[str, Any]) -> dict[str, Any]:
    """*document* without the fields that are refused beside the others."""
    try:
        parse_submission(document)
    except InvalidJob as error:
        refused = {one.pointer.split("/")[1] for one in error.errors}
        return _agreeing({name: value for name, value in document.items() if name not in refused})
    return document


def _values(schema: Schema, known: Schema) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _values(known[schema["$ref"].rpartition("/")[2]], known)
    if "anyOf" in schema:
        return st.one_of([_values(one, known) for one in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    match schema["type"]:
        case "object":
            return _objects(schema, known)
        case "array":
            return st.lists(_values(schema["items"], known), max_size=MOST)
    return _scalars(schema)


def _scalars(schema: Schema) -> st.SearchStrategy[Any]:
    match schema["type"]:
        case "string":
            return _texts(schema)
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
    return st.none()


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    if schema.get("pattern") == f"^{MEMORY_PATTERN}$":
        return st.builds("{}{}".format, st.integers(1, 32), st.sampled_from(UNITS))
    longest = schema.get("maxLength", 64)
    pattern = schema.get("pattern", "[a-z]+(/[a-z]+)?").removeprefix("^").removesuffix("$")
    return st.from_regex(pattern, fullmatch=True).filter(lambda text: len(text) <= longest)


def _objects(schema: Schema, known: Schema) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in schema:
        ((pattern, values),) = schema.get("patternProperties", {"": schema.get("additionalProperties")}).items()
        named = {"pattern": pattern} if pattern else {}
        return st.dictionaries(_texts(named), _values(values, known), max_size=MOST)
    fields = {name: _values(field, known) for name, field in schema["properties"].items()}
    required = {name: fields.pop(name) for name in schema.get("required", [])}
    return st.fixed_dictionaries(required, optional=fields)
