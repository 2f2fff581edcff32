"""The generated models of the client."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from infra.client.models import MODELS, generate, main, snake_case, type_of

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT: dict[str, Any] = {
    "info": {"version": "1.2.3"},
    "components": {
        "schemas": {
            "Colour": {"description": "A colour.", "type": "string", "enum": ["red", "blue"]},
            "Submission": {
                "description": "What is sent.",
                "type": "object",
                "properties": {
                    "paintWith": {
                        "description": "The colour.",
                        "anyOf": [{"$ref": "#/components/schemas/Colour"}, {"type": "null"}],
                    },
                    "class": {"description": 'Its "class"', "type": "integer"},
                },
            },
            "View": {
                "description": "What is returned.",
                "type": "object",
                "required": ["parts", "lastSeen"],
                "properties": {
                    "parts": {"description": "Parts.", "type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                    "lastSeen": {"description": "When.", "type": ["integer", "null"]},
                },
            },
            "Part": {"description": "A part.", "type": "object", "properties": {}},
        }
    },
}  # fmt: skip


class TestGenerate:
    """`python -m infra.client`."""

    def test_code_works(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The code defines the models: members that may be null have a default, and keywords get an underscore."""
        module = ModuleType("generated")
        monkeypatch.setitem(sys.modules, "generated", module)  # where dataclasses look annotations up
        names = vars(module)
        code = generate(DOCUMENT).replace("from researcher.decoding import Field, Model", _STUBS)
        exec(code, names)  # noqa: S102 - generated from the document above

        assert names["API_VERSION"] == "1.2.3"
        assert names["View"](parts=[]).last_seen is None
        assert names["View"].NESTED == {"parts": "Part"}
        assert names["FIELDS"]["paint_with"] == ("paintWith", "Colour", "The colour.", ("red", "blue"))
        assert names["FIELDS"]["class_"][:2] == ("class", "int")

    @pytest.mark.parametrize(
        ("schema", "annotation"),
        [
            ({"type": "string"}, "str"),
            ({"type": ["number", "null"]}, "float | None"),
            ({"type": "array", "items": {"type": "integer"}}, "list[int]"),
            ({"type": "object", "additionalProperties": {"type": "string"}}, "dict[str, str]"),
            ({"type": "object"}, "dict[str, Any]"),
            ({"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/X"}]}, "str | X"),
        ],
    )
    def test_annotations(self, schema: dict[str, Any], annotation: str) -> None:
        """Each kind of schema has its annotation."""
        assert type_of(schema) == annotation

    @pytest.mark.parametrize(
        ("name", "attribute"),
        [("createdAt", "created_at"), ("currentAllocatedGPUs", "current_allocated_gpus"), ("class", "class_")],
    )
    def test_names(self, name: str, attribute: str) -> None:
        """Members have the names of Python."""
        assert snake_case(name) == attribute


class TestCheck:
    """`--check`."""

    def test_finds_a_change(self, tmp_path: Path) -> None:
        """A file that does not match the document is reported, and writing it puts that right."""
        path = tmp_path / MODELS.name
        assert main(["--check"], path) == 1
        assert main([], path) == 0
        assert main(["--check"], path) == 0
        path.write_text(path.read_text("utf-8") + "#\n", "utf-8")
        assert main(["--check"], path) == 1


_STUBS = """
from typing import NamedTuple
class Model: __slots__ = ()
class Field(NamedTuple):
    member: str
    kind: str
    description: str
    choices: tuple
"""
