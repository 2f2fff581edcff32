"""Bearer tokens, verified with PyJWT against the issuer's keys: who calls, or Unauthenticated."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import jwt

from chalicelib.adapters.oidc.jwks import KeySet
from chalicelib.domain.access_token import ALGORITHMS, LEEWAY, Claims, bearer_token, parse, unauthenticated
from chalicelib.domain.caller import Caller, caller_from_claims
from chalicelib.settings import Settings, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.deadline import Deadline

SCOPES = "scope"
"""As an audience claim: Cognito's tokens have no `aud`, but name the resource server in each scope."""


class BearerTokens:
    """The tokens of one issuer."""

    def __init__(self, settings: Settings, keys: KeySet) -> None:
        self._settings = settings
        self._keys = keys
        self._audiences = frozenset(filter(None, settings.token_audience.split(",")))

    def caller(self, authorization: Sequence[str], deadline: Deadline) -> Caller:
        """Who sends these Authorization headers; Unauthenticated unless there is one good token."""
        if self._settings.authentication == "none":
            return Caller.anonymous()
        token = bearer_token(authorization)
        header, claims = parse(token)
        if not self._audiences.intersection(_audience(claims, self._settings.token_audience_claim)):
            raise unauthenticated("is for another audience")
        self._verify(token, header, deadline)
        return caller_from_claims(
            claims,
            subject_claim=self._settings.token_subject_claim,
            groups_claim=self._settings.token_groups_claim,
            scope_prefix=self._settings.token_scope_prefix,
        )

    def _verify(self, token: str, header: Claims, deadline: Deadline) -> None:
        """Signature, issuer and times."""
        key = self._keys.find(header["kid"], deadline)
        if key is None:
            raise unauthenticated("is signed by a key the issuer does not have")
        if key.algorithm_name != header["alg"]:
            raise unauthenticated("is signed by another algorithm than its key is for")
        try:
            jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=self._settings.token_issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", self._settings.token_subject_claim], "verify_aud": False},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise unauthenticated(f"failed verification: {type(error).__name__}") from error


def _audience(claims: Claims, name: str) -> list[str]:
    """Whom the token is for; one text, or a list of them. Scopes name it before their last slash."""
    audience = claims.get(name)
    if name == SCOPES and isinstance(audience, str):
        return [scope.rpartition("/")[0] for scope in audience.split(" ")]
    found = audience if isinstance(audience, list) else [audience]
    return [one for one in found if isinstance(one, str)]


@cache
def connect(settings: Settings) -> BearerTokens:
    """The tokens of this deployment's issuer, one for each process."""
    return BearerTokens(settings, KeySet(settings.token_issuer))


def authenticate(authorization: Sequence[str], deadline: Deadline) -> Caller:
    """Who sends these Authorization headers to this deployment; Unauthenticated unless there is one good token."""
    return connect(settings()).caller(authorization, deadline)
