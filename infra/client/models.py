"""Generate client/src/researcher/models.py from the OpenAPI document, or check that it is current.

Each enum becomes a union of literals, each response a frozen dataclass, and a submission a TypedDict, so that an editor
completes the arguments of `Client.submit`. Names are those of the document, in snake case.
"""

from __future__ import annotations

import argparse
import json
import keyword
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Schema = dict[str, Any]

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "chalicelib/openapi.json"
MODELS = ROOT / "client/src/researcher/models.py"
REQUESTS = ("Submission", "Claim", "Retry", "SecretKey", "SecretVariable")
"""The schemas that a client sends; they become TypedDicts."""
SKIPPED = ("SubmissionPatch", "WrappedSubmission", "Target", "GatewayError")
"""Schemas without a model of their own: a clone sends a Submission of which all fields are optional."""
_HEADER = '''"""The models of the API, which `make client-models` generates from its OpenAPI document: do not edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, TypedDict

from researcher.decoding import Field, Model

API_VERSION = {version!r}
"""The version of the API that this client was made for."""
'''
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def main(arguments: Sequence[str] | None = None, path: Path = MODELS) -> int:
    """Write the models, or with --check return 1 if they are not current."""
    parser = argparse.ArgumentParser(prog="python -m infra.client", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the file is not current")
    check = parser.parse_args(arguments).check
    current = format_python(generate(json.loads(DOCUMENT.read_text("utf-8"))))
    if not check:
        path.write_text(current, "utf-8")
    elif not path.exists() or path.read_text("utf-8") != current:
        sys.stderr.write(f"{path.name} does not match the OpenAPI document: run `make client-models`.\n")
        return 1
    return 0


def generate(document: Mapping[str, Any]) -> str:
    """Return the source code of the models."""
    schemas: dict[str, Schema] = {
        name: schema for name, schema in document["components"]["schemas"].items() if name not in SKIPPED
    }
    parts = [_HEADER.format(version=document["info"]["version"])]
    for render in (render_alias, partial(render_request, schemas), partial(render_response, schemas)):
        parts += filter(None, (render(name, schema) for name, schema in schemas.items()))
    parts.append(render_fields(schemas))
    return "\n\n".join(parts)


def format_python(source: str) -> str:
    """Return *source* as `ruff format` writes it."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(MODELS), "-"]
    return subprocess.run(command, input=source, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603 - ours


def snake_case(name: str) -> str:
    """Return the attribute for a member of the document: `createdAt` is `created_at`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return f"{words}_" if keyword.iskeyword(words) else words


def render_alias(name: str, schema: Schema) -> str:
    """Return the type of an enum or a union, which has no members; else nothing."""
    if "enum" in schema:
        # A server that is newer than the client may send other values.
        values = ", ".join(json.dumps(value) for value in schema["enum"])
        return f'{name}: TypeAlias = Literal[{values}] | str\n"""{_text(schema)}"""'
    if "oneOf" in schema:
        return f'{name}: TypeAlias = "{type_of(schema)}"\n"""{_text(schema)}"""'
    return ""


def render_request(schemas: Mapping[str, Schema], name: str, schema: Schema) -> str:
    """Return the TypedDict of a request; else nothing."""
    if name not in REQUESTS:
        return ""
    lines = [f"class {name}(TypedDict, total=False):", f'    """{_text(schema)}"""', ""]
    for field, value in schema["properties"].items():
        # Members of nested objects are sent as they are, so they have the names of the API.
        attribute = snake_case(field) if name == "Submission" else field
        lines += [f"    {attribute}: {type_of(value, schemas)}", f'    """{_text(value)}"""']
    return "\n".join(lines)


def render_response(schemas: Mapping[str, Schema], name: str, schema: Schema) -> str:
    """Return the dataclass of a response; else nothing."""
    if name in REQUESTS or schema.get("type") != "object":
        return ""
    fields: dict[str, Schema] = schema["properties"]
    required = schema.get("required", [])
    nested = {field: model for field, value in fields.items() if (model := _model(value, schemas))}
    lines = [
        "@dataclass(frozen=True, slots=True, kw_only=True)",
        f"class {name}(Model):",
        f'    """{_text(schema)}"""',
        "",
    ]
    lines.append(f"    NESTED: ClassVar[dict[str, str]] = {json.dumps(nested)}")
    for field, value in fields.items():
        kind = type_of(value, schemas)
        default = "" if field in required and "None" not in kind else " = None"
        optional = " | None" if default and "None" not in kind else ""
        lines += [f"    {snake_case(field)}: {kind}{optional}{default}", f'    """{_text(value)}"""']
    return "\n".join(lines)


def render_fields(schemas: Mapping[str, Schema]) -> str:
    """Return the table of the members of a submission, from which the command line has its flags."""
    rows = ", ".join(
        f"{snake_case(name)!r}: Field{(name, _kind(schema), schema['description'], _choices(schema, schemas))!r}"
        for name, schema in schemas["Submission"]["properties"].items()
    )
    return f'FIELDS: dict[str, Field] = {{{rows}}}\n"""The members of a submission, by the argument of `submit`."""'


def _kind(schema: Schema) -> str:
    """Return the type of a member without null."""
    return " | ".join(part for part in type_of(schema).split(" | ") if part != "None")


def _choices(schema: Schema, schemas: Mapping[str, Schema]) -> tuple[str, ...]:
    names = (each.get("$ref", "").rpartition("/")[2] for each in _parts(schema))
    return next((tuple(schemas[name]["enum"]) for name in names if "enum" in schemas.get(name, {})), ())


def type_of(schema: Schema, schemas: Mapping[str, Schema] | None = None) -> str:
    """Return the annotation for a value of *schema*."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    options = schema.get("oneOf") or schema.get("anyOf")
    if options:
        return " | ".join(dict.fromkeys(type_of(option, schemas) for option in options))
    kinds = schema.get("type", "object")
    return " | ".join(_simple_type(kind, schema, schemas) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _simple_type(kind: str, schema: Schema, schemas: Mapping[str, Schema] | None) -> str:
    if kind == "array":
        return f"list[{type_of(schema['items'], schemas)}]"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {type_of(values, schemas) if isinstance(values, dict) and values else 'Any'}]"
    return _SCALARS[kind]


def _model(schema: Schema, schemas: Mapping[str, Schema]) -> str | None:
    """Return the name of the model of a member or its items, if these are objects."""
    for each in _parts(schema):
        name = each.get("$ref", "").rpartition("/")[2]
        if schemas.get(name, {}).get("type") == "object" and name not in REQUESTS:
            return str(name)
    return None


def _parts(schema: Schema) -> Iterator[Schema]:
    yield schema
    yield from schema.get("anyOf", [])
    yield schema.get("items", {})


def _text(schema: Schema) -> str:
    """Return the description as the docstring of a generated name."""
    text = str(schema["description"]).replace("\\", "\\\\").replace('"""', "'''")
    return f"{text} " if text.endswith('"') else text
