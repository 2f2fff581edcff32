"""What the OpenAPI document says, as tables: endpoints, the fields of a Job, and examples of responses."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from chalicelib.functions.openapi import DOCUMENT
from infra.openapi.portable import DEFAULT
from infra.reference.markdown import code, table

if TYPE_CHECKING:
    from collections.abc import Iterator

JsonObject = dict[str, Any]

ADDED = frozenset({
    "labels", "annotations", "maxRuntimeSeconds", "queue", "indexed", "backoffLimitPerIndex", "maxFailedIndexes",
    "nodes", "retry",
})  # fmt: skip
"""Fields of a submission that Run:ai does not have."""
SHOWN = ("get_job", "job_diagnosis", "job_events", "list_projects", "get_project", "delete_jobs", "health")
"""Operations whose responses are shown."""
FEW = 9
"""Operations that are named with an error; of the others any operation, or any with a token, can answer with it."""


@cache
def _document() -> JsonObject:
    document: JsonObject = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return document


def schema(name: str) -> JsonObject:
    """Return the schema of that name."""
    found: JsonObject = _document()["components"]["schemas"][name]
    return found


def _operations() -> Iterator[tuple[str, JsonObject]]:
    """Yield each operation with its method and path."""
    for path, methods in _document()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def operations_by_code() -> dict[str, list[str]]:
    """Return for each error code the operations that can answer with it, unless most of them can."""
    found: dict[str, list[str]] = {}
    for _, operation in _operations():
        for response in operation["responses"].values():
            for error in _errors(response):
                found.setdefault(error, []).append(operation["operationId"])
    return {error: names for error, names in found.items() if len(names) <= FEW}


def _errors(response: JsonObject) -> list[str]:
    """Return the error codes of a *response* of an operation; none of a successful one."""
    if "$ref" not in response:
        return []
    shared = _document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    (content,) = shared["content"].values()
    return list(content["examples"])


def endpoints() -> str:
    """Return a table of the endpoints, and a section for each."""
    found = sorted(_operations(), key=lambda one: (one[1]["tags"], one[0].partition(" ")[2], one[0]))
    names = [one["operationId"] for _, one in found]
    rows = [
        [f"[`{name}`](#{name})", code(request), one["summary"]]
        for name, (request, one) in zip(names, found, strict=True)
    ]
    return "\n".join([table(["function", "request", "summary"], rows), *(_section(*one) for one in found)])


def _section(request: str, operation: JsonObject) -> str:
    name = operation["operationId"]
    given = [
        [code(one["name"]), one["in"], _limits(one["schema"]), one["description"]]
        for one in operation["parameters"]
        if one["in"] != "path"
    ]
    parameters = table(["parameter", "in", "value", "effect"], given) if given else ""
    own = operations_by_code()
    responses = [
        [status, one.get("description") or ", ".join(f"[`{error}`](errors.md#{error})" for error in errors)]
        for status, one in operation["responses"].items()
        if (errors := [error for error in _errors(one) if error in own]) or "description" in one
    ]
    head = f"### {name}\n\n`{request}`\n\n{operation['description']}\n\n{parameters}\n"
    return head + table(["status", "response"], responses)


def fields(*, added: bool) -> str:
    """Return a table of the fields of a submission that this API has *added*, or that Run:ai has too."""
    submission = schema("Submission")
    rows = []
    for name, field in submission["properties"].items():
        meaning, _, default = field["description"].partition(DEFAULT)
        required = "**required**" if name in submission["required"] else default.rstrip(".")
        rows += [[code(name), _limits(field), required, meaning]] if (name in ADDED) is added else []
    return table(["field", "value", "default", "meaning"], rows)


def _limits(schema: JsonObject) -> str:
    """Say in words what values *schema* accepts."""
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_limits(one) for one in options if one != {"type": "null"})
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        found = _document()["components"]["schemas"][name]
        return f"{name} object" if found.get("type") == "object" else _limits(found)
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    kind = kind if isinstance(kind, str) else next(one for one in kind if one != "null")
    if kind == "array":
        return f"list of {_limits(schema['items'])}"
    words = [f"{word} {schema[key]}" for key, word in WORDS.items() if key in schema]
    return " ".join([kind, *([f"({', '.join(words)})"] if words else [])])


WORDS = {
    "minimum": "at least",
    "maximum": "at most",
    "maxLength": "characters: at most",
    "maxProperties": "members: at most",
}
"""Keywords of a schema that limit a value."""


def examples() -> str:
    """Return the examples of successful responses."""
    operations = {operation["operationId"]: operation for _, operation in _operations()}
    return "\n".join(_example(name, operations[name]["responses"]["200"]) for name in SHOWN)


def _example(name: str, response: JsonObject) -> str:
    text = json.dumps(response["content"]["application/json"]["example"], indent=2)
    return f"### {name}\n\n{response['description']}\n\n```js\n{text}\n```\n"


def receipt() -> str:
    """Return the example of a Receipt, as the error of a Job that was cleaned up has it."""
    problem = _document()["components"]["responses"]["JobCleanedUp"]["content"]["application/problem+json"]
    return f"```js\n{json.dumps(problem['examples']['job_cleaned_up']['value']['receipt'], indent=2)}\n```\n"
