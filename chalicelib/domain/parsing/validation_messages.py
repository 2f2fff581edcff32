"""Messages for refused fields, whichever library refused them: one grammar, and no text of a library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from chalicelib.domain.errors import FieldError, pointer_step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

UNKNOWN = "is invalid"

_OF_PYDANTIC = {
    "missing": "is required",
    "string_type": "must be a string",
    "int_type": "must be an integer",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
    "value_error": "{error}",
}
_KINDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
}
_OF_MSGSPEC = (
    (r"Expected `str` matching regex '(.*)'", "must match {0}"),
    (r"Expected `int` <= (\d+)", "must be at most {0}"),
    (r"Expected `int` >= (\d+)", "must be at least {0}"),
    (r"Expected `str` of length <= (\d+)", "must have at most {0} characters"),
    (r"Expected `str` of length >= (\d+)", "must have at least {0} characters"),
    (r"Expected `array` of length <= (\d+)", "must have at most {0} items"),
    (r"Expected `array` of length >= (\d+)", "must have at least {0} items"),
    (r"Invalid enum value .*", "must be one of the documented values"),
)


def field_errors(
    document: object, found: Sequence[ErrorDetails], unsupported: Mapping[str, str], root: str = ""
) -> tuple[FieldError, ...]:
    """Each place of *document* that pydantic *found* wrong, once; *root* leads to the document.

    *unsupported* has the fields that users of other APIs may send, and why they are not supported.
    """
    return tuple(dict.fromkeys(FieldError(root + _pointer(document, one), _rule(one, unsupported)) for one in found))


def of_pydantic(kind: str, context: Mapping[str, object]) -> str:
    """The rule that an error of that type, with its limits in *context*, stands for."""
    return _OF_PYDANTIC.get(kind, UNKNOWN).format(**context)


def of_msgspec(message: str) -> tuple[str, str]:
    """The field that *message* names beyond its place, or an empty text, and the rule."""
    if named := re.fullmatch(r"Object (contains unknown|missing required) field `(.*)`", message, re.DOTALL):
        return named[2], "is not known" if named[1] == "contains unknown" else "is required"
    if wrong := re.fullmatch(r"Expected `(\w+)(?: \| null)?`, got `.*`", message):
        return "", f"must be {_KINDS[wrong[1]]}" if wrong[1] in _KINDS else UNKNOWN
    for pattern, rule in _OF_MSGSPEC:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return "", rule.format(*found.groups())
    return "", UNKNOWN


def _pointer(document: object, error: ErrorDetails) -> str:
    """Where *error* is: a JSON pointer into *document*; pydantic also names branches of unions, which are no places."""
    pointer = ""
    here: Any = document
    for part in error["loc"]:
        inside = (isinstance(here, dict) and part in here) or (isinstance(here, list) and isinstance(part, int))
        if inside or (error["type"] == "missing" and part == error["loc"][-1]):
            pointer += pointer_step(str(part)[:64])
        here = here[part] if inside else here
    return pointer


def _rule(error: ErrorDetails, unsupported: Mapping[str, str]) -> str:
    if error["type"] == "extra_forbidden":
        field = str(error["loc"][-1])
        return f"is not supported: {unsupported[field]}" if field in unsupported else "is not a field of a Job"
    return of_pydantic(error["type"], error.get("ctx", {}))
