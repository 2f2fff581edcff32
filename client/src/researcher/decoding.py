"""Decode the API's JSON into the generated dataclasses.

A server may be newer than the client: members that the client does not know are ignored. It may be older: a member
that may be null is then None, and any other missing member is an error that says which of the two is older.
"""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self

from researcher.errors import IncompatibleServer


class Field(NamedTuple):
    """A member of a submission: its name in the API, its type, its description, and its values if they are listed."""

    member: str
    kind: str
    description: str
    choices: tuple[str, ...]


class Model:
    """The base class of all generated dataclasses."""

    __slots__ = ("document",)
    NESTED: ClassVar[dict[str, str]] = {}
    document: dict[str, Any]
    """The JSON object, also with the members that this client does not know."""

    @classmethod
    def decode(cls, document: object) -> Self:
        """Return the value for a JSON object; raise IncompatibleServer if it lacks a member."""
        if not isinstance(document, dict):
            raise IncompatibleServer(cls.__name__)
        known = _attributes(cls)  # type: ignore[arg-type] # mypy does not see that classes are hashable
        values = {
            attribute: _decode_nested(cls.NESTED.get(name), value)
            for name, value in document.items()
            if (attribute := snake_case(name)) in known
        }
        try:
            decoded = cls(**values)
        except TypeError as error:
            raise IncompatibleServer(cls.__name__) from error
        object.__setattr__(decoded, "document", document)  # the dataclasses are frozen
        return decoded


@cache
def snake_case(name: str) -> str:
    """Return the attribute for a member: `createdAt` is `created_at`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@cache
def _attributes(cls: Any) -> frozenset[str]:  # noqa: ANN401 - a dataclass
    return frozenset(each.name for each in fields(cls))


def _decode_nested(model: str | None, value: Any) -> Any:  # noqa: ANN401 - JSON
    if model is None or value is None:
        return value
    # Imported here because the generated module imports this one.
    from researcher import models  # noqa: PLC0415

    cls: type[Model] = getattr(models, model)
    return [cls.decode(each) for each in value] if isinstance(value, list) else cls.decode(value)
