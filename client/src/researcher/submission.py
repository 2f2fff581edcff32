"""The body of a submission, from the arguments of `Client.submit` and from files."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from researcher.errors import UsageError
from researcher.models import FIELDS
from researcher.shell import with_shell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from researcher.capabilities import Capabilities

_AS_WRITTEN = {"environment", "labels", "annotations", "arguments"}
"""Members whose numbers are sent as the text of the file."""
_MEMBERS = {field.member for field in FIELDS.values()}


def to_body(fields: Mapping[str, Any], capabilities: Capabilities) -> dict[str, Any]:
    """Return the JSON of a submission; the names of *fields* are those of the arguments or of the API."""
    body: dict[str, Any] = {}
    for name, value in fields.items():
        if value is not None:
            body[_member(name, capabilities)] = value
    return with_shell(body, capabilities)


def parse_document(text: str, source: str) -> dict[str, Any]:
    """Return the submission in a JSON or YAML file; `{"job": {...}}` is taken as its job."""
    try:
        document = json.loads(text, parse_float=WrittenFloat)
    except ValueError:
        document = _parse_yaml(text, source)
    if isinstance(document, dict) and isinstance(document.get("job"), dict) and len(document) == 1:
        document = document["job"]
    if not isinstance(document, dict):
        raise UsageError(f"{source} must contain one Job: an object with `image` and other fields.")
    for name in _AS_WRITTEN & set(document):
        document[name] = _as_written(document[name])
    return document


class WrittenFloat(float):
    """A number that remembers how it was written: a learning rate of 1e-4 arrives in the pod as 1e-4."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class WrittenInt(int):
    """An integer that remembers how it was written: 007."""

    text: str


def _as_written(value: object) -> object:
    if isinstance(value, dict):
        return {str(name): _as_written(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_written(each) for each in value]
    return value.text if isinstance(value, (WrittenFloat, WrittenInt)) else value


def _parse_yaml(text: str, source: str) -> object:
    # Imported here because only YAML needs it.
    import yaml  # noqa: PLC0415

    from researcher.exact_yaml import ExactLoader  # noqa: PLC0415

    try:
        return yaml.load(text, Loader=ExactLoader)  # noqa: S506 - a subclass of SafeLoader  # nosec B506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(f"{source} is not valid YAML{place}: {getattr(error, 'problem', None) or error}.") from error


def _member(name: str, capabilities: Capabilities) -> str:
    if name in FIELDS:
        return FIELDS[name].member
    if name in _MEMBERS or capabilities.has_field(name):
        return name
    close = difflib.get_close_matches(name, FIELDS, 1)
    raise UsageError(f"A Job has no field {name}." + (f" Did you mean {close[0]}?" if close else ""))
