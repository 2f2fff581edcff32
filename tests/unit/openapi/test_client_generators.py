"""What client generators need of the OpenAPI document, for every schema and every operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from chalicelib.domain.parsing.merge_patch import apply_merge_patch
from chalicelib.domain.submission.model import parse_submission
from infra.openapi.portable import ENUMS
from tests.unit.openapi.test_document import DOCUMENT_OF_THE_API, accepts, component, operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Schema = dict[str, Any]
SCHEMAS: dict[str, Schema] = DOCUMENT_OF_THE_API["components"]["schemas"]
NULL = {"type": "null"}


def schemas(part: Any = DOCUMENT_OF_THE_API, place: str = "") -> Iterator[tuple[str, Schema]]:  # noqa: ANN401 - JSON
    """Yield each object of the document that is or may be a schema, with its place; examples are no schemas."""
    if isinstance(part, list):
        for index, each in enumerate(part):
            yield from schemas(each, f"{place}/{index}")
    if isinstance(part, dict):
        yield place, part
        for name, each in part.items():
            if name not in {"example", "examples"}:
                yield from schemas(each, f"{place}/{name}")


PROPERTIES = [
    (f"{name}.{field}", schema)
    for name, found in SCHEMAS.items()
    for field, schema in found.get("properties", {}).items()
]


class TestSchemas:
    """Every schema of the document, by rules that each broke a generator."""

    @pytest.mark.parametrize(
        "breaks",
        [
            pytest.param(lambda part: isinstance(part.get("const"), bool), id="const of a boolean"),
            pytest.param(lambda part: {"type": "integer"} in part.get("oneOf", []), id="overlapping oneOf"),
            pytest.param(
                lambda part: NULL in part.get("anyOf", []) and part["anyOf"][0].keys() != {"$ref"},
                id="anyOf of a value and null",
            ),
        ],
    )
    def test_no_schema_breaks_a_rule(self, breaks: Callable[[Schema], bool]) -> None:
        """No schema has a form that a generator misreads."""
        assert [place for place, part in schemas() if breaks(part)] == []

    def test_lists_of_words_have_names(self) -> None:
        """A closed list of strings is one of the named components."""
        inline = {
            place
            for place, part in schemas()
            if isinstance(part.get("enum"), list) and isinstance(part["enum"][0], str)
        }

        assert inline == {f"/components/schemas/{name}" for name in ENUMS}

    @pytest.mark.parametrize(("place", "schema"), PROPERTIES, ids=[place for place, _ in PROPERTIES])
    def test_property_has_a_description_and_an_example(self, place: str, schema: Schema) -> None:
        """A reader sees what each property means, and a value for it; and no default makes it a required one."""
        assert schema.get("description"), place
        assert schema.get("examples"), place
        assert all(accepts(schema, value) for value in schema["examples"])
        assert "default" not in schema


class TestOperations:
    """Every operation."""

    def test_one_successful_response(self) -> None:
        """The type of a result is that of the lowest successful status, which must be the only one."""
        statuses = [[status for status in each["responses"] if status.startswith("2")] for each in operations()]

        assert {len(found) for found in statuses} == {1}

    def test_bodies_have_names(self) -> None:
        """A request body has properties: it is a component, one of several, or a list of one."""
        for each in operations():
            for content in each.get("requestBody", {}).get("content", {}).values():
                options = content["schema"].get("oneOf", [content["schema"].get("items", content["schema"])])
                assert all(SCHEMAS[option["$ref"].rpartition("/")[2]]["properties"] for option in options)

    def test_server_is_absolute(self) -> None:
        """A client that is generated from the file of this repository has a URL to replace."""
        (server,) = DOCUMENT_OF_THE_API["servers"]

        assert urlsplit(server["url"])[:3] == ("https", "api.invalid", "/researcher/api/v1")


class TestPatch:
    """The body of a clone request."""

    FULL = {name: schema["examples"][0] for name, schema in SCHEMAS["Submission"]["properties"].items()}

    @pytest.mark.parametrize("name", SCHEMAS["SubmissionPatch"]["properties"])
    def test_null_removes_what_is_not_required(self, name: str) -> None:
        """The document allows null for a field exactly if a submission without the field is valid."""
        allowed = accepts(component("SubmissionPatch"), {name: None})
        original = {field: self.FULL[field] for field in {"project", "image", name}}
        patched = apply_merge_patch(original, {name: None})

        assert allowed == (name not in {"project", "image"})
        if allowed:
            parse_submission(patched)

    def test_null_removes_an_entry(self) -> None:
        """An entry of a map can be removed; the values of others are those of a submission."""
        entries = {"labels": {"a": None}, "annotations": {"a": None}, "environment": {"A": None, "B": 1}}

        assert accepts(component("SubmissionPatch"), entries)
        assert not accepts(component("SubmissionPatch"), {"environment": {"A": [1]}})
        assert not accepts(component("SubmissionPatch"), {"hostNetwork": None})
