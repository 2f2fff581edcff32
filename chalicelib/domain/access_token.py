"""The shape of a bearer token, checked before any key is looked up: RFC 7519, RFC 8725 and RFC 9068, read strictly."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from chalicelib.domain.errors import Unauthenticated
from chalicelib.domain.parsing.strict_json import MAX_DEPTH, is_deeper, unique

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TOKEN = 8192
LEEWAY = 30
"""Seconds that clocks may differ."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric only: with a shared secret, whoever can check a token can make one."""

_DETAIL = (
    "Send the header Authorization: Bearer <ACCESS-TOKEN> with a token that is valid here. "
    "Get a new one if it has expired."
)
_COMPACT = re.compile(r"[-\w]+\.[-\w]+\.[-\w]+", re.ASCII)
_KEY_ID = re.compile(r"[\x21-\x7e]{1,256}")
_TYPES = (None, "jwt", "at+jwt", "application/at+jwt", "application/jwt")
_REFUSED_HEADERS = frozenset({"b64", "crit", "cty", "jku", "jwk", "x5u", "zip"})
"""Headers that bring a key of their own, or change how the token is read."""
_LATEST = 2**40
MAX_LIFETIME = 30 * 86400
"""Seconds from `iat` to `exp`: the most that a documented issuer lets an access token live (Auth0)."""

_OTHER_TOKENS = {
    "at_hash": "an ID token",  # OpenID Connect Core 1.0, 3.1.3.6 and 3.3.2.11
    "c_hash": "an ID token",
    "s_hash": "an ID token",
    "events": "a logout token",  # OpenID Connect Back-Channel Logout 1.0, 2.4
    "cnf": "bound to a key of its holder",  # RFC 7800, 8705, 9449: to be refused where that key is not checked
}
"""Claims that no bearer token for APIs has, and what they mark."""

Claims = dict[str, Any]


def bearer_token(authorization: Sequence[str]) -> str:
    """The token in the Authorization headers of a request; Unauthenticated unless there is exactly one."""
    scheme, _, token = authorization[0].partition(" ") if len(authorization) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise refused("is missing, or does not stand alone in one Authorization header")
    return token


def parse(token: str) -> tuple[Claims, Claims]:
    """The unverified header and claims of *token*; Unauthenticated when it is malformed."""
    if len(token) > MAX_TOKEN or not _COMPACT.fullmatch(token):
        raise refused("is not a signed JSON Web Token")
    header, claims, _ = token.split(".")
    return _check_header(_document(header)), _check_claims(_document(claims))


def refused(why: str) -> Unauthenticated:
    """The error that the token *why*; every cause looks alike to a stranger, so the words go to the log alone."""
    error = Unauthenticated(_DETAIL)
    error.add_note(f"the token {why}")
    return error


def _document(part: str) -> Claims:
    try:
        text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8")
        document = json.loads(text, object_pairs_hook=unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refused("is not strict JSON in base64url") from error
    if is_deeper(document, MAX_DEPTH):
        raise refused(f"has more than {MAX_DEPTH} levels of lists and objects")
    if not isinstance(document, dict):
        raise refused("is no JSON object")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check_header(header: Claims) -> Claims:
    kind, algorithm, key_id = header.get("typ"), header.get("alg"), header.get("kid")
    if header.keys() & _REFUSED_HEADERS:
        raise refused("has a header that is not taken")
    if (kind.lower() if isinstance(kind, str) else kind) not in _TYPES:
        raise refused("is not of a type for access")
    if algorithm not in ALGORITHMS:
        raise refused("is signed by an algorithm that is not taken")
    if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        raise refused("names no key")
    return header


def _check_claims(claims: Claims) -> Claims:
    for name in ("exp", "iat", "nbf"):
        time = claims.get(name, 0)
        if type(time) is not int or not 0 <= time < _LATEST:
            raise refused(f"has a {name} that is no time")
    if {"iat", "exp"} <= claims.keys() and claims["exp"] - claims["iat"] > MAX_LIFETIME:
        raise refused(f"is valid for more than {MAX_LIFETIME // 86400} days")
    _check_purpose(claims)
    return claims


def _check_purpose(claims: Claims) -> None:
    """Refuse what an issuer signs for other purposes than access, with the same keys (RFC 8725, 3.12)."""
    for claim, kind in _OTHER_TOKENS.items():
        if claim in claims:
            raise refused(f"is {kind}, by its claim {claim}")
    # Cognito: access or id. Keycloak: Bearer, ID, Refresh, Offline, Logout and others.
    if claims.get("token_use", "access") != "access" or claims.get("typ", "Bearer") != "Bearer":
        raise refused("is not an access token, by its claim token_use or typ")
    # Keycloak before 25 wrote the nonce of the login into its access tokens as well.
    if "nonce" in claims and "typ" not in claims:
        raise refused("is an ID token, by its claim nonce")
    if not _names_client(claims):
        raise refused("is an ID token, as it names no client")


def _names_client(claims: Claims) -> bool:
    """Whether the token names the client that it was issued to, as far as its issuer's access tokens do.

    Entra ID's ID tokens for an application have the same `aud` and `iss` as the access tokens for its API, and a
    `nonce` only where the client sent one; its access tokens name the client in `appid` (1.0) or `azp` (2.0). Okta's
    name it in `cid`.
    """
    match claims.get("ver"):
        case "1.0" | "2.0":
            return "appid" in claims or "azp" in claims
        case 1:
            return "cid" in claims
        case _:
            return True
