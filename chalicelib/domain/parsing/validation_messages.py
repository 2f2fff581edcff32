"""Messages for values that msgspec refuses, without its own texts. Imported only when a request is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.domain.errors import FieldError, pointer_step
from chalicelib.domain.parsing.suggestions import closest, listed, question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNKNOWN = "is invalid; its description in the OpenAPI document has the rule"

_KINDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
_LIMITS = (
    (r"Expected `(?:int|float)` <= (\S+)", "must be at most {0}"),
    (r"Expected `(?:int|float)` >= (\S+)", "must be at least {0}"),
)
_LENGTH = re.compile(r"Expected `(str|array|object)` of length (<=|>=) (\d+)")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
RULE = "rule"
"""The key in `msgspec.Meta.extra` of the sentence that a person reads in place of the pattern."""


def plural(kind: str, context: Mapping[str, Any]) -> str:
    """Return the message about a length; *kind* and *context* are those of pydantic."""
    is_text = kind.startswith("string_")
    bound, noun = ("most", "max_length") if kind.endswith("long") else ("least", "min_length")
    return length(is_text=is_text, bound=bound, number=int(context[noun]))


def length(*, is_text: bool, bound: str, number: int) -> str:
    """Return the message about a length of at *bound*, `least` or `most`, *number* characters or items."""
    if (bound, number) == ("least", 1):
        return "must not be empty"
    noun = "character" if is_text else "item"
    return f"must have at {bound} {number} {noun}{'' if number == 1 else 's'}"


def field_error(error: msgspec.ValidationError, kind: Any = None, document: object = None) -> FieldError:  # noqa: ANN401
    """Return pointer and message for the *error* of converting *document* to *kind*, which serve to list choices."""
    text, _, location = str(error).partition(" - at `$")
    steps = [field or int(index) for field, index in _STEP.findall(location.removesuffix("`"))]
    pointer = "".join(f"/{step}" for step in steps)
    if field := re.fullmatch(r"Object (contains unknown|missing required) field `(.*)`", text, re.DOTALL):
        name, known = field[2][:64], _fields(_type_at(kind, steps))
        unknown = field[1] == "contains unknown"
        return FieldError(pointer + pointer_step(name), _unknown(name, known) if unknown else "is required")
    return FieldError(pointer, _message(text, _type_at(kind, steps), _value_at(document, steps)))


def _unknown(name: str, known: Sequence[str]) -> str:
    meant = closest(name, known)
    return f"is unknown{question(meant)}" if meant or not known else f"is unknown; the fields are {listed(known)}"


def _message(text: str, kind: msgspec.inspect.Type | None, value: object) -> str:
    if wrong := re.fullmatch(r"Expected `([\w| ]+)`, got `.*`", text):
        kinds = [_KINDS[name] for name in wrong[1].split(" | ") if name in _KINDS and name != "null"]
        return f"must be {' or '.join(kinds)}" if kinds else UNKNOWN
    if size := _LENGTH.fullmatch(text):
        return length(is_text=size[1] == "str", bound="most" if size[2] == "<=" else "least", number=int(size[3]))
    if text.startswith("Expected `str` matching regex"):
        return str(_extra(kind).get(RULE, UNKNOWN))
    if text.startswith("Invalid enum value"):
        return choice(_choices(kind), value)
    found = ((message, re.fullmatch(pattern, text)) for pattern, message in _LIMITS)
    return next((message.format(*match.groups()) for message, match in found if match), UNKNOWN)


def choice(choices: Sequence[str], value: object) -> str:
    """Return the message that lists *choices*, with the one that *value* most likely means."""
    if not choices:
        return UNKNOWN
    return f"must be one of {listed(choices)}{question(closest(value, choices) if isinstance(value, str) else None)}"


def _type_at(kind: Any, steps: Sequence[str | int]) -> msgspec.inspect.Type | None:  # noqa: ANN401 - any type
    """Return the type at *steps* in *kind*, without null; None if it is not known."""
    if kind is None:
        return None
    found: Any = msgspec.inspect.type_info(kind)
    for step in steps:
        fields = {field.encode_name: field.type for field in getattr(_bare(found), "fields", ())}
        found = fields.get(str(step)) if isinstance(step, str) else getattr(_bare(found), "item_type", None)
        if isinstance(found, msgspec.inspect.UnionType):
            found = next(each for each in found.types if not isinstance(each, msgspec.inspect.NoneType))
    return found if found is None or isinstance(found, msgspec.inspect.Type) else None


def _bare(kind: Any) -> Any:  # noqa: ANN401 - types of msgspec.inspect
    return kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind


def _extra(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - types of msgspec.inspect
    return (kind.extra or {}) if isinstance(kind, msgspec.inspect.Metadata) else {}


def _choices(kind: Any) -> list[str]:  # noqa: ANN401 - types of msgspec.inspect
    return [str(value) for value in getattr(_bare(kind), "values", ())]


def _fields(kind: Any) -> list[str]:  # noqa: ANN401 - types of msgspec.inspect
    return [field.encode_name for field in getattr(_bare(kind), "fields", ())]


def _value_at(document: Any, steps: Sequence[str | int]) -> object:  # noqa: ANN401 - any JSON
    for step in steps:
        known = (isinstance(document, dict) and step in document) or (isinstance(document, list) and type(step) is int)
        document = document[step] if known else None
    return document
