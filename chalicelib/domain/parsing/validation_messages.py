"""Messages for invalid fields: one grammar for the errors of pydantic and msgspec, without their own texts."""

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
    document: object, details: Sequence[ErrorDetails], unsupported: Mapping[str, str], root: str = ""
) -> tuple[FieldError, ...]:
    """Return the errors for the fields of *document* that pydantic reports in *details*, without duplicates.

    Args:
        document: The parsed JSON.
        details: The errors of pydantic.
        unsupported: Fields of Run:ai's API that this API does not support, with the reason.
        root: The JSON pointer to *document* in the request.
    """
    errors = (FieldError(root + _pointer(document, each), _rule(each, unsupported)) for each in details)
    return tuple(dict.fromkeys(errors))


def of_pydantic(kind: str, context: Mapping[str, object]) -> str:
    """Return the message for an error type of pydantic, with the limits from *context*."""
    return _OF_PYDANTIC.get(kind, UNKNOWN).format(**context)


def of_msgspec(message: str) -> tuple[str, str]:
    """Return the field that *message* of msgspec names in addition to its path, or an empty string, and our message."""
    if field := re.fullmatch(r"Object (contains unknown|missing required) field `(.*)`", message, re.DOTALL):
        return field[2], "is unknown" if field[1] == "contains unknown" else "is required"
    if wrong := re.fullmatch(r"Expected `(\w+)(?: \| null)?`, got `.*`", message):
        return "", f"must be {_KINDS[wrong[1]]}" if wrong[1] in _KINDS else UNKNOWN
    for pattern, rule in _OF_MSGSPEC:
        if match := re.fullmatch(pattern, message, re.DOTALL):
            return "", rule.format(*match.groups())
    return "", UNKNOWN


def _pointer(document: object, error: ErrorDetails) -> str:
    """Return the JSON pointer of *error*, without the branches of unions that pydantic adds to the location."""
    pointer = ""
    value: Any = document
    for part in error["loc"]:
        exists = (isinstance(value, dict) and part in value) or (isinstance(value, list) and isinstance(part, int))
        if exists or (error["type"] == "missing" and part == error["loc"][-1]):
            pointer += pointer_step(str(part)[:64])
        value = value[part] if exists else value
    return pointer


def _rule(error: ErrorDetails, unsupported: Mapping[str, str]) -> str:
    if error["type"] == "extra_forbidden":
        field = str(error["loc"][-1])
        return f"is not supported: {unsupported[field]}" if field in unsupported else "is not a field of a Job"
    return of_pydantic(error["type"], error.get("ctx", {}))
