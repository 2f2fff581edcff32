"""The sentence about a field that does not exist: what it means here. Imported only when a submission is refused."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from chalicelib.domain.parsing.suggestions import closest, listed, plain, question
from chalicelib.domain.submission.field_forms import EXAMPLES
from chalicelib.domain.submission.fields import Claim, Retry, SecretKey, SecretVariable
from chalicelib.domain.submission.foreign_fields import MEANT, NESTED, REASONS, WHY
from chalicelib.domain.submission.unsupported_fields import UNSUPPORTED_FIELDS

if TYPE_CHECKING:
    from collections.abc import Collection

_PARTS: dict[str, tuple[str, type[Any]]] = {
    "pvc": ("a volume in `pvc`", Claim),
    "environment": ("the value of a variable", SecretVariable),
    "secret": ("a reference to a Secret", SecretKey),
    "retry": ("`retry`", Retry),
}
_NOWHERE = (
    "Remove it, or pass it to your program in `arguments` or `environment`. GET /openapi.json has all fields of a Job, "
    "in the schema Submission"
)
_VALUE_OF_A_VARIABLE = (
    'write the value itself, such as {"LEARNING_RATE": "0.1"}, or '
    '{"HF_TOKEN": {"secret": {"name": "hf", "key": "token"}}}'
)


def unknown_field(path: tuple[str, ...], siblings: Collection[object]) -> str:
    """Return the sentence about the unknown field at *path*, beside the fields *siblings*."""
    name, meant = plain(path[-1]), meaning_of(path)
    match _part(path):
        case "environment":
            return f"is not a field of {_PARTS['environment'][0]}: {_VALUE_OF_A_VARIABLE}"
        case None if name in _unsupported():
            return f"is not supported: {_unsupported()[name]}"
        case None if not meant:
            return (
                f"is not a field of a Job. {REASONS.get(name) or REASONS.get(closest(name, REASONS) or '', _NOWHERE)}"
            )
        case None:
            return f"is not a field of a Job{_why(name)}{_instead(path, str(meant), siblings)}"
        case part if meant:
            return f"is not a field of {_PARTS[part][0]}{_instead(path, meant, siblings)}"
        case part:
            return f"is not a field of {_PARTS[part][0]}; remove it. The fields are {listed(known_fields(path))}"


def _why(name: str) -> str:
    return f": {WHY[name]}" if name in WHY else ""


def _instead(path: tuple[str, ...], meant: str, siblings: Collection[object]) -> str:
    if meant in siblings:
        return f". `{meant}` is set already; remove this field"
    example = EXAMPLES.get("/".join((*path[:-1], meant)))
    return question(meant) + (f' For example "{meant}": {example}' if example else "")


def meaning_of(path: tuple[str, ...]) -> str | None:
    """Return the field that the unknown field at *path* means, or None if there is none or it is not certain."""
    name = plain(path[-1])
    part = _part(path)
    if part is None and (name in REASONS or name in _unsupported()):
        return None
    synonyms = MEANT if part is None else NESTED.get(part, {})
    if meant := synonyms.get(name) or closest(name, known_fields(path)):
        return meant
    return synonyms.get(closest(name, synonyms) or "")


def known_fields(path: tuple[str, ...]) -> list[str]:
    """Return the fields of the object in which the field at *path* is."""
    from chalicelib.domain.submission.model import Submission  # noqa: PLC0415 - it imports this module

    part = _part(path)
    model = Submission if part is None else _PARTS[part][1]
    return [field.alias or name for name, field in model.model_fields.items()]


def _part(path: tuple[str, ...]) -> str | None:
    """Return the key of _PARTS for the object in which the field at *path* is; None for the Job itself."""
    return next((step for step in reversed(path[:-1]) if step in _PARTS), None)


@cache
def _unsupported() -> dict[str, str]:
    return {plain(name): reason for name, reason in UNSUPPORTED_FIELDS.items()}
