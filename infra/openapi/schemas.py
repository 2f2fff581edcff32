"""The types of the API as JSON Schemas: pydantic and msgspec write most, this module what neither of them knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from pydantic.json_schema import GenerateJsonSchema

from chalicelib.domain.errors import CATALOGUE, Problem
from chalicelib.domain.finished.receipt import Receipt
from chalicelib.domain.labels import LABEL_KEY_PATTERN, RESERVED_DOMAINS, RESERVED_KEYS
from chalicelib.domain.submission.model import Submission

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core.core_schema import CoreSchema, DictSchema

JsonObject = dict[str, Any]

REFERENCE = "#/components/schemas/"

_DOMAINS = "|".join(domain.replace(".", r"\.") for domain in RESERVED_DOMAINS)
KEYS: JsonObject = {
    "minLength": 1,
    "maxLength": 317,
    "pattern": f"^{LABEL_KEY_PATTERN}$",
    "not": {"pattern": rf"^({'|'.join(RESERVED_KEYS)}|([^/]*\.)?({_DOMAINS})/.*)$"},
}
"""The keys a user may give labels and annotations: domain/names.py decides in code, which pydantic cannot show."""
PROBLEM: JsonObject = {
    "type": {"type": "string", "pattern": "^urn:researcher:problem:[a-z_]+$", "maxLength": 128},
    "status": {"type": "integer", "minimum": 400, "maximum": 599},
    "code": {"type": "string", "enum": sorted(CATALOGUE)},
    "instance": {"type": "string", "pattern": "^urn:researcher:request:", "maxLength": 256},
}
"""Of a Problem's fields, what its Python types do not say: most of all that the codes are a closed list."""


class Schemas:
    """The document's components, in which each type stands once."""

    def __init__(self) -> None:
        self._found: dict[str, JsonObject] = {}

    @property
    def components(self) -> dict[str, JsonObject]:
        """All types seen so far, by name."""
        return dict(sorted(self._found.items()))

    def request(self, kind: Any) -> JsonObject:  # noqa: ANN401 - a model, or any type msgspec knows
        """The schema of a request body of *kind*."""
        if kind is Submission:
            return self._submission()
        return self._add(kind)[0]

    def response(self, kind: Any) -> JsonObject:  # noqa: ANN401 - any type msgspec knows
        """The schema of an answer of *kind*, in which no field is ever left out, but for a Problem's."""
        schema, names = self._add(kind)
        for name in names:
            component = self._found[name]
            for field in component["properties"].values():
                field.pop("default", None)
            if name == Problem.__name__:
                component["properties"] |= PROBLEM | {"receipt": self.response(Receipt)}
            else:
                component["required"] = list(component["properties"])
        return schema

    def _add(self, kind: Any) -> tuple[JsonObject, list[str]]:  # noqa: ANN401 - any type msgspec knows
        (schema,), components = msgspec.json.schema_components([kind], ref_template=REFERENCE + "{name}")
        self._found |= typed(components)
        return typed(schema), list(components)

    def _submission(self) -> JsonObject:
        """A Job, bare or wrapped as Run:ai wraps it."""
        written = Submission.model_json_schema(ref_template=REFERENCE + "{model}", schema_generator=_Readable)
        for field in ("labels", "annotations"):
            written["properties"][field]["propertyNames"] = KEYS
        name = Submission.__name__
        reference = {"$ref": REFERENCE + name}
        self._found |= written.pop("$defs") | {name: written, "Wrapped" + name: _wrapped(reference)}
        return {"oneOf": [{"$ref": REFERENCE + "Wrapped" + name}, reference]}


class _Readable(GenerateJsonSchema):
    """Without a title for each field, and with the pattern of a dict's keys where client generators understand it."""

    def field_title_should_be_set(self, schema: CoreSchema) -> bool:
        """Never: the field's name says the same."""
        del schema
        return False

    def dict_schema(self, schema: DictSchema) -> JsonSchemaValue:
        """`patternProperties` alone would let keys of any other pattern pass."""
        written = super().dict_schema(schema)
        for pattern, values in written.pop("patternProperties", {}).items():
            written["propertyNames"] = {"pattern": pattern, **written.get("propertyNames", {})}
            written["additionalProperties"] = values
        return written


def typed(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """*schema* with a type beside each list of texts, where msgspec leaves it out and client generators want it."""
    if isinstance(schema, list):
        return [typed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kind = {"type": "string"} if "enum" in schema else {}
    return kind | {name: typed(part) for name, part in schema.items()}


def _wrapped(reference: JsonObject) -> JsonObject:
    return {
        "title": "WrappedSubmission",
        "description": "A Job to run, as Run:ai wraps it.",
        "type": "object",
        "properties": {"job": reference},
        "required": ["job"],
        "additionalProperties": False,
    }
