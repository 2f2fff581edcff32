"""Numbers and booleans that keep their literal, so that a `1e-4` that becomes text stays `1e-4`, and not `0.0001`.

The parsers return these types on request. They are numbers in every other respect, except that no subclass of bool is
possible: a field of type boolean needs `bool(...)` of a BooleanLiteral.
"""

from __future__ import annotations

from typing import Self

import msgspec


class IntegerLiteral(int):
    """An integer that is written as *literal*."""

    literal: str

    def __new__(cls, literal: str) -> Self:
        """Parse *literal*; raise ValueError if it has too many digits."""
        number = super().__new__(cls, literal)
        number.literal = literal
        return number


class FloatLiteral(float):
    """A number with a fraction or an exponent that is written as *literal*."""

    literal: str

    def __new__(cls, literal: str) -> Self:
        """Parse *literal*."""
        number = super().__new__(cls, literal)
        number.literal = literal
        return number


class BooleanLiteral(int):
    """A boolean that YAML writes as *literal*, such as `True`."""

    literal: str

    def __new__(cls, literal: str) -> Self:
        """Parse *literal*, in any case."""
        truth = super().__new__(cls, literal.lower() == "true")
        truth.literal = literal
        return truth


_LITERALS = (IntegerLiteral, FloatLiteral, BooleanLiteral)


def text_of(value: object) -> object:
    """Return a number or a boolean as the text by which it is written; any other *value* unchanged."""
    if isinstance(value, _LITERALS):
        return value.literal
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def plain(value: object) -> object:
    """Return the boolean of a BooleanLiteral; any other *value* unchanged."""
    return bool(value) if isinstance(value, BooleanLiteral) else value


def encode_literal(value: object) -> msgspec.Raw:
    """Return the JSON of a number literal, as msgspec's enc_hook; raise NotImplementedError for other types."""
    if isinstance(value, (IntegerLiteral, FloatLiteral)):
        return msgspec.Raw(value.literal.encode())
    raise NotImplementedError
