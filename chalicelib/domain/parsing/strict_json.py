"""Strict parsing of JSON and query parameters: duplicate names, NaN and unknown parameters are rejected."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from chalicelib.domain.errors import MalformedRequest
from chalicelib.domain.parsing.literals import FloatLiteral, IntegerLiteral

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chalicelib.domain.errors import FieldError

Parsed = TypeVar("Parsed", bound=msgspec.Struct)

MAX_DEPTH = 32
"""Maximum levels of nested arrays and objects, in JSON and YAML; a Job needs five. Without this limit, that of the
interpreter applies: about 1,000 levels on Python 3.11 and 10,000 on 3.13, which is more than can be encoded again."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def json_document(body: bytes, thing: str = "body", *, literals: bool = False) -> Any:  # noqa: ANN401 - any JSON
    """Parse *body*; raise MalformedRequest unless it is strict JSON in UTF-8 with at most MAX_DEPTH levels.

    The message has line and column, and what was expected there; *thing* is the noun for the document in it.
    With *literals*, numbers are those of `parsing.literals`, which keep how they are written.
    """
    try:
        msgspec.json.decode(
            body
        )  # rejects what json accepts: invalid UTF-8, surrogates, NaN; json rejects duplicate keys
        numbers = (IntegerLiteral, FloatLiteral) if literals else (None, None)
        document = json.loads(body, object_pairs_hook=unique_keys, parse_int=numbers[0], parse_float=numbers[1])
    except (ValueError, RecursionError) as error:
        from chalicelib.domain.parsing import json_syntax  # noqa: PLC0415 - only a refused body needs it

        raise MalformedRequest(json_syntax.explain(body, thing, MAX_DEPTH)) from error
    if is_deeper(document, MAX_DEPTH):
        raise MalformedRequest(f"The {thing} has more than {MAX_DEPTH} levels of nested arrays and objects.")
    return document


def is_deeper(document: object, levels: int) -> bool:
    """Return whether the JSON value *document* has more than *levels* levels of nested arrays and objects."""
    level: list[object] = [document]
    for _ in range(levels + 1):
        level = [value for parent in level for value in _values(parent)]
        if not level:
            return False
    return True


def _values(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def query_parameters(query: Mapping[str, Sequence[str]], kind: type[Parsed]) -> Parsed:
    """Convert the query parameters to *kind*, a msgspec Struct; raise MalformedRequest with all invalid parameters.

    A parameter in `kind.comma_separated` is a list: its values are separated by commas, or sent one by one.
    """
    if any(_SURROGATE.search(text) for name, values in query.items() for text in (name, *values)):
        raise MalformedRequest("The query is not valid UTF-8.")
    texts = query_texts(query, kind)
    try:
        parsed = msgspec.convert(texts, kind, strict=False)
        is_valid = not non_canonical(texts, parsed) and not sent_twice(query, kind)
    except msgspec.ValidationError:
        is_valid = False
    if is_valid:
        return parsed
    from chalicelib.domain.parsing.query_errors import query_errors  # noqa: PLC0415 - only a refused query needs it

    raise MalformedRequest("The query is invalid; errors names the parameters.", query_errors(query, kind))


def field_error(error: msgspec.ValidationError, kind: Any = None, document: object = None) -> FieldError:  # noqa: ANN401
    """Return pointer and message for the *error* of converting *document* to *kind*, which serve to list choices."""
    from chalicelib.domain.parsing import validation_messages  # noqa: PLC0415 - only a refused document needs it

    return validation_messages.field_error(error, kind, document)


def query_texts(query: Mapping[str, Sequence[str]], kind: Any) -> dict[str, str | list[str]]:  # noqa: ANN401
    """Return the first value of each parameter, and all values of those in `kind.comma_separated`."""
    lists: frozenset[str] = getattr(kind, "comma_separated", frozenset())
    return {name: ",".join(values).split(",") if name in lists else values[0] for name, values in query.items()}


def sent_twice(query: Mapping[str, Sequence[str]], kind: Any) -> list[str]:  # noqa: ANN401 - a Struct
    """Return the parameters that were sent more than once, except lists."""
    lists: frozenset[str] = getattr(kind, "comma_separated", frozenset())
    return [name for name, values in query.items() if len(values) > 1 and name not in lists]


def non_canonical(texts: Mapping[str, str | list[str]], parsed: object) -> list[str]:
    """Return the parameters that msgspec accepted in a non-canonical form, such as 1e2 for 100, TRUE or null."""
    canonical = {name: _as_text(value) for name, value in msgspec.to_builtins(parsed).items()}
    return [name for name, text in texts.items() if text != canonical[name]]


def _as_text(value: object) -> str | list[str] | None:
    if isinstance(value, (list, tuple)):
        return [str(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of *pairs*, as json's object_pairs_hook; raise ValueError if a name is repeated."""
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("duplicate key")
    return document
