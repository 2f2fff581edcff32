"""Verification of bearer tokens (JWTs).

1. `domain.access_token` takes the token from the Authorization header and checks its form, without its signature.
2. The audience is checked, so that a token for another audience never causes a request to the issuer.
3. The key with the token's `kid` is looked up in the issuer's JWKS, which may be fetched for it.
4. PyJWT verifies the signature, the issuer and the times.
5. The Caller is built from the claims.

Any failure is Unauthenticated with the same message for the caller; the log has the reason as `why`.
"""

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
"""As an audience claim: Cognito's tokens have no `aud`, but each scope begins with the resource server's identifier."""


class BearerTokens:
    """Verifies the tokens of one issuer."""

    def __init__(self, settings: Settings, keys: KeySet) -> None:
        self._settings = settings
        self._keys = keys
        self._audiences = frozenset(filter(None, settings.token_audience.split(",")))

    def caller(self, authorization: Sequence[str], deadline: Deadline) -> Caller:
        """Return the caller with these *authorization* headers; Unauthenticated unless they are one valid token."""
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
        """Verify signature, issuer and times; Unauthenticated if one is invalid."""
        key = self._keys.find(header["kid"], deadline)
        if key is None:
            raise unauthenticated("is signed with an unknown key")
        if key.algorithm_name != header["alg"]:
            raise unauthenticated("has an alg that does not match its key")
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


def _audience(claims: Claims, claim: str) -> list[str]:
    """Return the audiences in *claim*: a string, a list of strings, or the parts of scopes before the last slash."""
    audience = claims.get(claim)
    if claim == SCOPES and isinstance(audience, str):
        return [scope.rpartition("/")[0] for scope in audience.split(" ")]
    values = audience if isinstance(audience, list) else [audience]
    return [value for value in values if isinstance(value, str)]


@cache
def connect(settings: Settings) -> BearerTokens:
    """Return the verifier for this deployment's issuer, one for each process."""
    return BearerTokens(settings, KeySet(settings.token_issuer))


def authenticate(authorization: Sequence[str], deadline: Deadline) -> Caller:
    """Return the caller with these *authorization* headers; Unauthenticated unless they are one valid token."""
    return connect(settings()).caller(authorization, deadline)
