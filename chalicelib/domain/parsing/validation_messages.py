"""What is wrong with a value, in our words, whichever library found it: a library's text tells of our insides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from chalicelib.domain.errors import FieldError, pointer_step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

UNKNOWN = "is not valid"

_OF_PYDANTIC = {
    "missing": "is required",
    "string_type": "is not a text",
    "int_type": "is not a whole number",
    "float_type": "is not a number",
    "finite_number": "is not a number",
    "bool_type": "is not true or false",
    "list_type": "is not a list",
    "dict_type": "is not an object",
    "model_type": "is not an object",
    "string_pattern_mismatch": "is not of the form {pattern}",
    "string_too_long": "has more than {max_length} characters",
    "string_too_short": "has fewer than {min_length} characters",
    "too_long": "has more than {max_length} entries",
    "too_short": "has fewer than {min_length} entries",
    "greater_than_equal": "is below {ge}",
    "less_than_equal": "is above {le}",
    "literal_error": "is none of {expected}",
    "value_error": "{error}",
}
_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}
_OF_MSGSPEC = (
    (r"Expected `str` matching regex '(.*)'", "is not of the form {0}"),
    (r"Expected `int` <= (\d+)", "is above {0}"),
    (r"Expected `int` >= (\d+)", "is below {0}"),
    (r"Expected `(?:str|array)` of length <= (\d+)", "is longer than {0}"),
    (r"Expected `(?:str|array)` of length >= (\d+)", "is shorter than {0}"),
    (r"Invalid enum value .*", "is none of the values that are known"),
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
        return "", f"is not {_KINDS[wrong[1]]}" if wrong[1] in _KINDS else UNKNOWN
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
