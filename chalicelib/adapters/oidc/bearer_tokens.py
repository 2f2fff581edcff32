"""Verification of bearer tokens (JWTs) of the configured issuers.

1. `domain.access_token` takes the token from the Authorization header and checks its form, without its signature.
2. The issuer is the configured one of exactly that name; a token of another one never causes a request.
3. The audience and the algorithm are checked, so that a token for another audience never causes a request either.
4. The key with the token's `kid` is looked up in the JWKS of this issuer, which may be fetched for it.
5. PyJWT verifies the signature, the issuer and the times.
6. The Caller is built from the claims, with the issuer's prefix.

Any failure is Unauthenticated with the same message for the caller; the log has the reason as `why`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

import jwt

from chalicelib import configuration
from chalicelib.adapters.oidc.jwks import GivenKeys, KeySet, UnusableKeysError
from chalicelib.domain.access_token import LEEWAY, Claims, bearer_token, parse, unauthenticated
from chalicelib.domain.caller import Caller, caller_from_claims
from chalicelib.settings import InvalidSettingError, Settings, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chalicelib.deadline import Deadline
    from chalicelib.domain.token_issuer import TokenIssuer

SCOPES = "scope"
"""As an audience claim: Cognito's tokens have no `aud`, but each scope begins with the resource server's identifier."""


class Keys(Protocol):
    """The public keys of one issuer."""

    def find(self, key_id: str, deadline: Deadline) -> jwt.PyJWK | None:
        """Return the key with *key_id*, or None; IssuerUnavailable if the keys cannot be read before *deadline*."""


def key_set(issuer: TokenIssuer) -> Keys:
    """Return the keys of *issuer*: those in its configuration, or those that it publishes, when they are first needed.

    Raises:
        InvalidSettingError: the keys or the certificate authorities in its configuration cannot be used.
    """
    try:
        if issuer.key_set:
            return GivenKeys({"keys": [*issuer.key_set.keys]})
        return KeySet(issuer.issuer, authorities=configuration.pem(issuer.authorities))
    except (UnusableKeysError, ValueError, OSError) as error:  # ssl.SSLError is an OSError
        raise InvalidSettingError(f"keySet or authorities of {issuer.issuer} cannot be used") from error


class BearerTokens:
    """Verifies the tokens of *issuers*, each with its own keys, and nothing in common."""

    def __init__(self, issuers: Iterable[TokenIssuer], keys: Callable[[TokenIssuer], Keys] = key_set) -> None:
        self._issuers = {each.issuer: (each, keys(each)) for each in issuers}

    def caller(self, authorization: Sequence[str], deadline: Deadline) -> Caller:
        """Return the caller with these *authorization* headers; Unauthenticated unless they are one valid token."""
        token = bearer_token(authorization)
        header, claims = parse(token)
        name = claims.get("iss")
        issuer, keys = self._issuers.get(name, (None, None)) if isinstance(name, str) else (None, None)
        if issuer is None or keys is None:
            raise unauthenticated("is from an issuer that is not trusted")
        if not set(issuer.audiences).intersection(_audience(claims, issuer.audience_claim)):
            raise unauthenticated("is for another audience")
        if header["alg"] not in issuer.algorithms:
            raise unauthenticated("is signed with an algorithm that its issuer may not use")
        key = keys.find(header["kid"], deadline)
        _verify(token, header, key, issuer)
        return caller_from_claims(claims, issuer)


def _verify(token: str, header: Claims, key: jwt.PyJWK | None, issuer: TokenIssuer) -> None:
    """Verify signature, issuer and times; Unauthenticated if one is invalid."""
    if key is None:
        raise unauthenticated("is signed with an unknown key")
    if key.algorithm_name != header["alg"]:
        raise unauthenticated("has an alg that does not match its key")
    try:
        jwt.decode(
            token,
            key,
            algorithms=issuer.algorithms,
            issuer=issuer.issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", issuer.subject_claim], "verify_aud": False},
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
    """Return the verifier for this deployment's issuers, one for each process."""
    return BearerTokens(configuration.token_issuers(settings))


def authenticate(authorization: Sequence[str], deadline: Deadline) -> Caller:
    """Return the caller with these *authorization* headers; Unauthenticated unless they are one valid token."""
    if settings().authentication == "none":
        return Caller.anonymous()
    return connect(settings()).caller(authorization, deadline)
