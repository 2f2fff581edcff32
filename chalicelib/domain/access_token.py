"""Checks of a bearer token before its signature is verified: RFC 7519, RFC 8725 and RFC 9068, read strictly.

`parse` rejects malformed tokens before any signing key is looked up, so such a token never causes a request to the
issuer. The header and the claims that it returns are not verified yet.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

from chalicelib.domain.errors import Unauthenticated
from chalicelib.domain.parsing.strict_json import MAX_DEPTH, is_deeper, unique_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TOKEN = 8192
LEEWAY = 30
"""Tolerated clock skew, in seconds."""

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
"""Asymmetric algorithms only: any service that can verify a token with a shared secret can also forge one."""

_DETAIL = (
    "Send the header Authorization: Bearer <ACCESS-TOKEN> with a token that is valid for this API. "
    "If the token has expired, request a new one."
)
_INVALID_TOKEN = f'{Unauthenticated.challenge}, error="invalid_token"'
_COMPACT = re.compile(r"[-\w]+\.[-\w]+\.[-\w]+", re.ASCII)
_KEY_ID = re.compile(r"[\x21-\x7e]{1,256}")
_TYPES = (None, "jwt", "at+jwt", "application/at+jwt", "application/jwt")
_FORBIDDEN_HEADERS = frozenset({"b64", "crit", "cty", "jku", "jwk", "x5u", "zip"})
"""Header parameters that contain a key or change how the token is parsed."""
_MAX_TIME = 2**40
MAX_LIFETIME = 30 * 86400
"""Seconds from `iat` to `exp`: the most that a documented issuer lets an access token live (Auth0)."""

_OTHER_TOKENS = {
    "at_hash": "an ID token",  # OpenID Connect Core 1.0, 3.1.3.6 and 3.3.2.11
    "c_hash": "an ID token",
    "s_hash": "an ID token",
    "events": "a logout token",  # OpenID Connect Back-Channel Logout 1.0, 2.4
    "cnf": "sender-constrained",  # RFC 7800, 8705, 9449: must be rejected where the proof of possession is not checked
}
"""Claims that no bearer access token has, and the kind of token that each indicates."""

Claims = dict[str, Any]


def bearer_token(authorization: Sequence[str]) -> str:
    """Return the token in the Authorization header; raise Unauthenticated unless there is exactly one."""
    scheme, _, token = authorization[0].partition(" ") if len(authorization) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        reason = "is missing, or the request does not have exactly one Authorization header"
        raise unauthenticated(reason, was_sent=False)
    return token


def parse(token: str) -> tuple[Claims, Claims]:
    """Return the unverified header and claims of *token*; raise Unauthenticated if it is malformed."""
    if len(token) > MAX_TOKEN or not _COMPACT.fullmatch(token):
        raise unauthenticated("is not a signed JSON Web Token")
    header, claims, _ = token.split(".")
    return _check_header(_document(header)), _check_claims(_document(claims))


def unauthenticated(reason: str, *, was_sent: bool = True) -> Unauthenticated:
    """Return the error for a bad token; *reason* is only logged, since the response must not depend on the cause."""
    error = Unauthenticated(_DETAIL)
    if was_sent:
        error.challenge = _INVALID_TOKEN
    error.add_note(f"the token {reason}")
    return error


def _document(part: str) -> Claims:
    try:
        text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8")
        document = json.loads(text, object_pairs_hook=unique_keys, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise unauthenticated("is not strict JSON, encoded in base64url") from error
    if is_deeper(document, MAX_DEPTH):
        raise unauthenticated(f"has more than {MAX_DEPTH} levels of nested arrays and objects")
    if not isinstance(document, dict):
        raise unauthenticated("is not a JSON object")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check_header(header: Claims) -> Claims:
    token_type, algorithm, key_id = header.get("typ"), header.get("alg"), header.get("kid")
    if header.keys() & _FORBIDDEN_HEADERS:
        raise unauthenticated("uses a forbidden header parameter")
    if (token_type.lower() if isinstance(token_type, str) else token_type) not in _TYPES:
        raise unauthenticated("has a typ that is not an access token's")
    if algorithm not in ALGORITHMS:
        raise unauthenticated("is signed with an unsupported algorithm")
    if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        raise unauthenticated("has no valid kid")
    return header


def _check_claims(claims: Claims) -> Claims:
    for name in ("exp", "iat", "nbf"):
        time = claims.get(name, 0)
        # A NumericDate may have a fraction (RFC 7519, 2). JSON's 1e999 is infinity, which is out of range.
        if type(time) not in {int, float} or not 0 <= time < _MAX_TIME:
            raise unauthenticated(f"has an invalid {name}")
    if {"iat", "exp"} <= claims.keys() and claims["exp"] - claims["iat"] > MAX_LIFETIME:
        raise unauthenticated(f"is valid for more than {MAX_LIFETIME // 86400} days")
    _check_purpose(claims)
    return claims


def _check_purpose(claims: Claims) -> None:
    """Reject tokens that the issuer signs with the same keys for a purpose other than access (RFC 8725, 3.12)."""
    for claim, kind in _OTHER_TOKENS.items():
        if claim in claims:
            raise unauthenticated(f"is {kind}: it has the claim {claim}")
    # Cognito: access or id. Keycloak: Bearer, ID, Refresh, Offline, Logout and others.
    if claims.get("token_use", "access") != "access" or claims.get("typ", "Bearer") != "Bearer":
        raise unauthenticated("is not an access token according to its claim token_use or typ")
    # Keycloak before 25 wrote the nonce of the login into its access tokens as well.
    if "nonce" in claims and "typ" not in claims:
        raise unauthenticated("is an ID token: it has the claim nonce")
    if not _names_client(claims):
        raise unauthenticated("is an ID token: it does not name a client")


def _names_client(claims: Claims) -> bool:
    """Return whether the token names the client that it was issued to, where the issuer's access tokens do so.

    Entra ID's ID tokens for an application have the same `aud` and `iss` as the access tokens for its API, and a
    `nonce` only if the client sent one; its access tokens name the client in `appid` (1.0) or `azp` (2.0). Okta's
    access tokens name it in `cid`.
    """
    match claims.get("ver"):
        case "1.0" | "2.0":
            return "appid" in claims or "azp" in claims
        case 1:
            return "cid" in claims
        case _:
            return True
