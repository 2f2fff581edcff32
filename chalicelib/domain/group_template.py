"""Groups that are made of several claims of a token: `{repository_id}@{environment}`.

Two tokens with different claims never get the same group: a claim that is missing or empty, or that contains a
character of the separators between claims, refuses the token.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from chalicelib.domain.access_token import unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLAIM = re.compile(r"\{([^{}]+)\}")
_SEPARATOR = re.compile(r"[._@|:+=/~-]+")
_LITERAL = re.compile(r"[A-Za-z0-9._@|:+=/~ -]*")


class GroupTemplate(msgspec.Struct, frozen=True):
    """The names of the claims, and the text before, between and after them."""

    claims: tuple[str, ...]
    literals: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> GroupTemplate:
        """Return the template in *text*; raise ValueError if it is none, or would mix up the values of two claims."""
        parts = _CLAIM.split(text)
        literals, claims = tuple(parts[::2]), tuple(parts[1::2])
        if not claims:
            raise ValueError("groupTemplate must name a claim, such as {repository_id}")
        if not all(_SEPARATOR.fullmatch(literal) for literal in literals[1:-1]):
            raise ValueError("groupTemplate must have separators between claims, of the characters ._@|:+=/~-")
        if not all(_LITERAL.fullmatch(literal) for literal in literals):
            raise ValueError("groupTemplate has characters that a group cannot have")
        return cls(claims, literals)

    def group(self, claims: Mapping[str, object]) -> str:
        """Return the group for *claims*; raise Unauthenticated for a claim that it cannot be made of."""
        values = [self._value(claims, name) for name in self.claims]
        pairs = zip(self.literals[1:], values, strict=True)
        return self.literals[0] + "".join(value + literal for literal, value in pairs)

    def _value(self, claims: Mapping[str, object], name: str) -> str:
        value = claims.get(name)
        text = str(value) if type(value) is int else value
        if not isinstance(text, str) or not text:
            raise unauthenticated(f"has a claim {name} that is missing or neither a string nor an integer")
        if not set(text).isdisjoint("".join(self.literals[1:-1])):
            raise unauthenticated(f"has a claim {name} with a separator of the group template")
        return text
