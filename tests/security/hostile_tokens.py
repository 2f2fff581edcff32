"""Hostile bearer tokens by their defect: each attack returns the header lines of a request that must be rejected."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from chalicelib.domain.access_token import MAX_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.local.issuer import Issuer
    from infra.local.wire import Headers

    Attack = Callable[[Issuer], Headers]

ATTACKER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ATTACKER_JWK = {**RSAAlgorithm.to_jwk(ATTACKER_KEY.public_key(), as_dict=True), "kid": "mine"}
ATTACKER_PEM = ATTACKER_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
RTL, HOMOGLYPH = "\u202eteam-a", "te\u0430m-a"
FUTURE = int(time.time()) + 7200


def with_claims(**claims: Any) -> Attack:  # noqa: ANN401 - any JSON
    """Return a token of the issuer with other claims; None removes one."""
    return lambda issuer: bearer(issuer.mint("alice", **claims))


def with_header(algorithm: str = "RS256", **headers: object) -> Attack:
    """Return a token with other header fields, signed with the issuer's own key."""
    return lambda issuer: bearer(issuer.mint("alice", headers=headers, algorithm=algorithm))


def forged(headers: dict[str, object], key: object = ATTACKER_KEY, algorithm: str = "RS256") -> Attack:
    """Return a token that the issuer has not signed."""
    return lambda issuer: bearer(issuer.mint("alice", headers=headers, key=key, algorithm=algorithm))


def with_payload(text: str | bytes) -> Attack:
    """Return a token with *text* as its payload, signed by the issuer."""
    return lambda issuer: bearer(issuer.keys.sign(text if isinstance(text, bytes) else text.encode()))


def with_header_values(*values: str, name: str = "Authorization") -> Attack:
    """Return a valid token in unusual header lines."""
    return lambda issuer: [(name, value.replace("{}", issuer.mint("alice"))) for value in values]


def with_parts(change: Callable[[list[str]], list[str]]) -> Attack:
    """Return a valid token whose three parts are changed by *change*."""
    return lambda issuer: bearer(".".join(change(issuer.mint("alice").split("."))))


def bearer(token: str) -> Headers:
    """Return the header line of *token*."""
    return [("Authorization", f"Bearer {token}")]


def with_issuer_suffix(end: str) -> Attack:
    """Return a token of an issuer whose name is ours followed by *end*."""
    return lambda issuer: bearer(issuer.mint("alice", iss=issuer.url + end))


def each(what: str, values: Sequence[Any], make: Callable[[Any], Attack]) -> dict[str, Attack]:
    """Return an attack for each of *values*."""
    return {f"{what} {number}: {value!r:.24}": make(value) for number, value in enumerate(values)}


def json_part(document: object) -> str:
    """Return *document* encoded as a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def with_secret(secret: Callable[[Issuer], bytes]) -> Attack:
    """Return an HS256 token with a publicly known value as its secret."""
    return lambda issuer: bearer(issuer.mint("alice", key=secret(issuer), algorithm="HS256"))


_INVALID_TIMES = ["9999999999", "1.5", True, False, [], {}, -1, -0.5, 2**40, 2.0**40, 1e20, 10**400, "never", ""]
_ALGORITHMS = ["none", "None", "NONE", "nOnE", "HS384", "rs256", "RS256 ", "RS1", "dir", None, 1, ["RS256"]]
_KEY_IDS = [
    "", None, "a b", "a\n", "\x00", "k" * 257, 5, ["k"], {"k": 1}, True, "ключ", "\u202ek", "../../dev/null\x00",
    "' OR '1'='1", "x' UNION SELECT 'key", "$(cat key)\n",
]  # fmt: skip
_TYPES = ["id+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", "", "at+jwt\x00", 1, ["JWT"], {}]
_KEY_HEADERS: list[tuple[str, object]] = [
    ("jku", "https://evil.example.com/jwks"), ("x5u", "https://evil.example.com/x5u"), ("jwk", ATTACKER_JWK),
    ("b64", False), ("crit", ["exp"]), ("zip", "DEF"), ("cty", "JWT"),
]  # fmt: skip
_HEADER_VALUES = [
    "", "Bearer", "Bearer ", "{}", "Basic {}", "Token {}", "DPoP {}", "Bearer\t{}", " Bearer {}", "Bearer  {}",
    "Bearer {} ", "Bearer {},{}", "Bearer {} {}", 'Bearer "{}"', "Bearer {}=", "Bearer {}\x00", "Bearer {}\r\nX: y",
    "Bearer token={}", "Bearer Bearer {}", "Bearer {}.{}",
]  # fmt: skip
_CLAIMS = [
    b"{", b"[]", b'"alice"', b"null", b"{'sub':'alice'}", b'{"exp":NaN}', b'{"exp":-Infinity}', b'{"exp":1}//',
    b'{"exp":1e999}', b'{"iat":-1e999}', b'{"nbf":1e999}', b'{"exp":' + b"9" * 5000 + b"}", b'{"a":' * 1000,
    '{"sub":"alice"}'.encode("utf-16"),
    b'\xef\xbb\xbf{"sub":"alice"}', b'{"sub":"\xff"}', b'{"sub":"a\x00"}', b'{"sub":"alice","sub":"bob"}',
    b'{"sub":"alice","realm":{"a":1,"a":2}}',
]  # fmt: skip
_AUDIENCES = [
    "gpu-west", "Researcher", "researcher2", "researche", " researcher", "researcher,other", "", None, 5, [],
    ["other"], [["researcher"]], {"researcher": 1}, "researcher\x00",
]  # fmt: skip
_ISSUERS = [
    "", "https://evil.example.com", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other", 5, ["x"], {"a": 1},
]  # fmt: skip
_SUFFIXES = ["/", "/tenant", "\x00", "#", "?", " ", "@evil.example.com"]
_SUBJECTS = [
    "", 5, ["alice"], {"a": 1}, True, "a\r\nImpersonate-User: admin", "a\x00", RTL, "\u0430lice", "-a", "a b",
    "a" * 129, "alice\n", "\ud800",
]  # fmt: skip
_GROUPS = [5, True, {"team-a": 1}, [5], [None], ["team-a", 5], [["team-a"]], ["team-a"] * 201]
INVALID_GROUPS = [
    "", RTL, HOMOGLYPH, "team-a\n", " team-a", "team-a ", "team-a\x00", "\ud800", "a,b", "a" * 129, "-team-a",
    "\nteam-a", "x\r\nImpersonate-Group: system:masters", "team-a\r\nX: y", "team-a\t", "TEAM-A\u0130",
]  # fmt: skip
"""Groups that no cluster can have: they are left out of the caller's, and the token is valid without them."""

MALFORMED: dict[str, Attack] = {
    "no header": lambda _: [],
    **each("value", _HEADER_VALUES, with_header_values),
    "two headers": with_header_values("Bearer {}", "Bearer {}"),
    "two headers, one of them Basic": with_header_values("Basic YTpi", "Bearer {}"),
    **each(
        "in",
        ["Cookie", "X-Authorization", "Proxy-Authorization"],
        lambda name: with_header_values("Bearer {}", name=name),
    ),
    "8 KiB and 1 byte": lambda issuer: bearer(issuer.mint("alice").ljust(MAX_TOKEN + 1, "A")),
    "two parts": with_parts(lambda parts: parts[:2]),
    "no signature": with_parts(lambda parts: [*parts[:2], ""]),
    "no claims": with_parts(lambda parts: [parts[0], "", parts[2]]),
    "encrypted": with_parts(lambda parts: [json_part({"alg": "RSA-OAEP", "enc": "A256GCM"}), *parts, parts[2]]),
    "JSON serialization": lambda issuer: bearer(json.dumps({"payload": issuer.mint("alice")})),
    "not ASCII": with_parts(lambda parts: [parts[0] + "ä", *parts[1:]]),
    "header is a list": with_parts(lambda parts: [json_part(["RS256"]), *parts[1:]]),
    **each("alg", _ALGORITHMS, lambda value: with_header(alg=value)),
    "the public key as a secret": with_secret(lambda issuer: issuer.keys.public_pem()),
    "a zero as a secret": with_secret(lambda _: b"\0"),
    **each("kid", _KEY_IDS, lambda value: with_header(kid=value)),
    **each("typ", _TYPES, lambda value: with_header(typ=value)),
    **each("header", _KEY_HEADERS, lambda field: forged({field[0]: field[1]})),
    **each("exp", _INVALID_TIMES, lambda value: with_claims(exp=value)),
    **each("nbf", _INVALID_TIMES, lambda value: with_claims(nbf=value)),
    **each("iat", _INVALID_TIMES, lambda value: with_claims(iat=value)),
    **each("token_use", ["id", "refresh", "", 1, ["access"]], lambda value: with_claims(token_use=value)),
    **each("claims", _CLAIMS, with_payload),
    **each("aud", _AUDIENCES, lambda value: with_claims(aud=value)),
    "missing iss": with_claims(iss=None),
    **each("iss", _ISSUERS, lambda value: with_claims(iss=value)),
    **each("iss ends with", _SUFFIXES, with_issuer_suffix),
}
"""Tokens that are rejected before any key is looked up."""

FORGED: dict[str, Attack] = {
    "signed by an attacker": forged({}),
    "signed by an attacker, with a kid": forged({"kid": "mine"}),
    "kid is a file path": forged({"kid": "../../../../dev/null"}),
    "kid is the URL of the metadata service": forged({"kid": "http://169.254.169.254/latest/"}),
    "certificate in the header": forged({"x5c": [base64.b64encode(ATTACKER_PEM).decode()]}),
    "another curve": forged({}, ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "another algorithm with the same key": with_header(algorithm="RS512"),
    "another padding with the same key": with_header(algorithm="PS256"),
    "claims changed": with_parts(lambda parts: [parts[0], json_part({"sub": "root", "aud": "researcher"}), parts[2]]),
    "signature changed": with_parts(lambda parts: [*parts[:2], ("A" if parts[2][0] != "A" else "B") + parts[2][1:]]),
    "signature cut off": with_parts(lambda parts: [*parts[:2], parts[2][:-4]]),
    "signature of zeros": with_parts(lambda parts: [*parts[:2], "A" * len(parts[2])]),
    **each("missing", ["exp", "iat", "sub"], lambda claim: with_claims(**{claim: None})),
    "expired": with_claims(exp=int(time.time()) - 60),
    "expired in 1970": with_claims(exp=0),
    "not yet valid": with_claims(nbf=FUTURE),
    "issued in the future": with_claims(iat=FUTURE),
    "expired, with a fraction": with_claims(iat=time.time() - 99.5, exp=time.time() - 60.5),
    "not yet valid, with a fraction": with_claims(nbf=FUTURE + 0.5),
    "issued in the far future": with_claims(iat=1e10),
    **each("sub", _SUBJECTS, lambda value: with_claims(sub=value)),
    **each("groups", _GROUPS, lambda value: with_claims(groups=value)),
}
"""Well-formed tokens that are rejected for their signature, times or claims."""
