"""Hostile bearer tokens by what is wrong with them: each makes the header lines of a request that must be refused."""

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

STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGERS_JWK = {**RSAAlgorithm.to_jwk(STRANGER.public_key(), as_dict=True), "kid": "mine"}
STRANGERS_PEM = STRANGER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
RTL, HOMOGLYPH = "\u202eteam-a", "te\u0430m-a"
LATER = int(time.time()) + 7200


def claiming(**claims: Any) -> Attack:  # noqa: ANN401 - any JSON
    """The issuer's own token with other claims; None leaves one out."""
    return lambda issuer: bearer(issuer.mint("alice", **claims))


def headed(algorithm: str = "RS256", **headers: object) -> Attack:
    """A token with other header fields, signed by the issuer's own key."""
    return lambda issuer: bearer(issuer.mint("alice", headers=headers, algorithm=algorithm))


def forged(headers: dict[str, object], key: object = STRANGER, algorithm: str = "RS256") -> Attack:
    """A token that the issuer has not signed."""
    return lambda issuer: bearer(issuer.mint("alice", headers=headers, key=key, algorithm=algorithm))


def saying(text: str | bytes) -> Attack:
    """Claims as they stand, signed by the issuer."""
    return lambda issuer: bearer(issuer.keys.sign(text if isinstance(text, bytes) else text.encode()))


def sent(*values: str, name: str = "Authorization") -> Attack:
    """A good token, sent oddly."""
    return lambda issuer: [(name, value.replace("{}", issuer.mint("alice"))) for value in values]


def cut(change: Callable[[list[str]], list[str]]) -> Attack:
    """A good token whose three parts have been changed."""
    return lambda issuer: bearer(".".join(change(issuer.mint("alice").split("."))))


def bearer(token: str) -> Headers:
    """The header line of *token*."""
    return [("Authorization", f"Bearer {token}")]


def issued_by(end: str) -> Attack:
    """A token of an issuer whose name is ours, and then *end*."""
    return lambda issuer: bearer(issuer.mint("alice", iss=issuer.url + end))


def each(what: str, values: Sequence[Any], make: Callable[[Any], Attack]) -> dict[str, Attack]:
    """An attack for each of *values*."""
    return {f"{what} {number}: {one!r:.24}": make(one) for number, one in enumerate(values)}


def json_part(document: object) -> str:
    """*document* as a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def with_secret(secret: Callable[[Issuer], bytes]) -> Attack:
    """HS256 with what everybody knows as the secret."""
    return lambda issuer: bearer(issuer.mint("alice", key=secret(issuer), algorithm="HS256"))


_NO_TIMES = ["9999999999", 1e10, True, False, [], {}, -1, 2**40, 10**400, "never", ""]
_ALGORITHMS = ["none", "None", "NONE", "nOnE", "HS384", "rs256", "RS256 ", "RS1", "dir", None, 1, ["RS256"]]
_KEY_IDS = [
    "", None, "a b", "a\n", "\x00", "k" * 257, 5, ["k"], {"k": 1}, True, "ключ", "\u202ek", "../../dev/null\x00",
    "' OR '1'='1", "x' UNION SELECT 'key", "$(cat key)\n",
]  # fmt: skip
_TYPES = ["id+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", "", "at+jwt\x00", 1, ["JWT"], {}]
_KEY_HEADERS: list[tuple[str, object]] = [
    ("jku", "https://evil.example.com/jwks"), ("x5u", "https://evil.example.com/x5u"), ("jwk", STRANGERS_JWK),
    ("b64", False), ("crit", ["exp"]), ("zip", "DEF"), ("cty", "JWT"),
]  # fmt: skip
_SENT = [
    "", "Bearer", "Bearer ", "{}", "Basic {}", "Token {}", "DPoP {}", "Bearer\t{}", " Bearer {}", "Bearer  {}",
    "Bearer {} ", "Bearer {},{}", "Bearer {} {}", 'Bearer "{}"', "Bearer {}=", "Bearer {}\x00", "Bearer {}\r\nX: y",
    "Bearer token={}", "Bearer Bearer {}", "Bearer {}.{}",
]  # fmt: skip
_CLAIMS = [
    b"{", b"[]", b'"alice"', b"null", b"{'sub':'alice'}", b'{"exp":NaN}', b'{"exp":-Infinity}', b'{"exp":1}//',
    b'{"exp":' + b"9" * 5000 + b"}", b'{"a":' * 1000, '{"sub":"alice"}'.encode("utf-16"),
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
_ENDS = ["/", "/tenant", "\x00", "#", "?", " ", "@evil.example.com"]
_SUBJECTS = [
    "", 5, ["alice"], {"a": 1}, True, "a\r\nImpersonate-User: admin", "a\x00", RTL, "\u0430lice", "-a", "a b",
    "a" * 129, "alice\n", "\ud800",
]  # fmt: skip
_GROUPS = [
    5, True, {"team-a": 1}, [5], [None], [["team-a"]], [""], [RTL], [HOMOGLYPH], ["team-a\n"], [" team-a"], ["team-a "],
    ["team-a\x00"], ["\ud800"], ["a,b"], ["g"] * 201, ["x\r\nImpersonate-Group: system:masters"], ["a" * 129],
]  # fmt: skip

MALFORMED: dict[str, Attack] = {
    "no header": lambda _: [],
    **each("sent as", _SENT, sent),
    "two headers": sent("Bearer {}", "Bearer {}"),
    "two headers, one of them Basic": sent("Basic YTpi", "Bearer {}"),
    **each("in", ["Cookie", "X-Authorization", "Proxy-Authorization"], lambda name: sent("Bearer {}", name=name)),
    "8 KiB and 1": lambda issuer: bearer(issuer.mint("alice").ljust(MAX_TOKEN + 1, "A")),
    "two parts": cut(lambda parts: parts[:2]),
    "no signature": cut(lambda parts: [*parts[:2], ""]),
    "no claims": cut(lambda parts: [parts[0], "", parts[2]]),
    "encrypted": cut(lambda parts: [json_part({"alg": "RSA-OAEP", "enc": "A256GCM"}), *parts, parts[2]]),
    "JSON serialization": lambda issuer: bearer(json.dumps({"payload": issuer.mint("alice")})),
    "not of ASCII": cut(lambda parts: [parts[0] + "ä", *parts[1:]]),
    "header is a list": cut(lambda parts: [json_part(["RS256"]), *parts[1:]]),
    **each("alg", _ALGORITHMS, lambda one: headed(alg=one)),
    "the public key as a secret": with_secret(lambda issuer: issuer.keys.public_pem()),
    "a zero as a secret": with_secret(lambda _: b"\0"),
    **each("kid", _KEY_IDS, lambda one: headed(kid=one)),
    **each("typ", _TYPES, lambda one: headed(typ=one)),
    **each("header", _KEY_HEADERS, lambda one: forged({one[0]: one[1]})),
    **each("exp", _NO_TIMES, lambda one: claiming(exp=one)),
    **each("nbf", _NO_TIMES, lambda one: claiming(nbf=one)),
    **each("iat", _NO_TIMES, lambda one: claiming(iat=one)),
    **each("token_use", ["id", "refresh", "", 1, ["access"]], lambda one: claiming(token_use=one)),
    **each("claims", _CLAIMS, saying),
    **each("aud", _AUDIENCES, lambda one: claiming(aud=one)),
}
"""Refused before any key is looked up."""

FORGED: dict[str, Attack] = {
    "signed by a stranger": forged({}),
    "signed by a stranger of that kid": forged({"kid": "mine"}),
    "kid leads to a file": forged({"kid": "../../../../dev/null"}),
    "kid leads to the metadata service": forged({"kid": "http://169.254.169.254/latest/"}),
    "certificate of its own": forged({"x5c": [base64.b64encode(STRANGERS_PEM).decode()]}),
    "another curve": forged({}, ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "another algorithm of the same key": headed(algorithm="RS512"),
    "padding that the key is not for": headed(algorithm="PS256"),
    "claims changed": cut(lambda parts: [parts[0], json_part({"sub": "root", "aud": "researcher"}), parts[2]]),
    "signature changed": cut(lambda parts: [*parts[:2], ("A" if parts[2][0] != "A" else "B") + parts[2][1:]]),
    "signature cut off": cut(lambda parts: [*parts[:2], parts[2][:-4]]),
    "signature of zeros": cut(lambda parts: [*parts[:2], "A" * len(parts[2])]),
    **each("missing", ["exp", "iat", "iss", "sub"], lambda claim: claiming(**{claim: None})),
    "expired": claiming(exp=int(time.time()) - 60),
    "expired in 1970": claiming(exp=0),
    "not yet good": claiming(nbf=LATER),
    "of the future": claiming(iat=LATER),
    **each("iss", _ISSUERS, lambda one: claiming(iss=one)),
    **each("iss ends with", _ENDS, issued_by),
    **each("sub", _SUBJECTS, lambda one: claiming(sub=one)),
    **each("groups", _GROUPS, lambda one: claiming(groups=one)),
}
"""Well formed, and refused by its signature, its issuer, its times, or by what it says."""
