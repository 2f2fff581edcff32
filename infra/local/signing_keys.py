"""The keys of the development token issuer: JSON Web Keys, their rotation, and signatures, also for attack tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm, get_default_algorithms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

BITS = 2048


class SigningKeys:
    """RSA keys, of which the newest signs; older keys stay published until they are retired."""

    def __init__(self) -> None:
        self._keys: dict[str, RSAPrivateKey] = {}
        self.current = ""
        self.rotate()

    def rotate(self, *, retire: bool = False) -> str:
        """Create a new signing key and return its ID; *retire* removes the other keys from the JWKS."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
        key_id = _thumbprint(_jwk(key))
        self._keys = {**({} if retire else self._keys), key_id: key}
        self.current = key_id
        return key_id

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the published keys (RFC 7517)."""
        keys = self._keys.items()
        return {"keys": [{**_jwk(key), "kid": kid, "use": "sig", "alg": "RS256"} for kid, key in keys]}

    def public_pem(self) -> bytes:
        """Return the public half of the newest key, which a careless verifier would use as an HS256 secret."""
        public = self._keys[self.current].public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(
        self,
        payload: bytes,
        headers: Mapping[str, object] | None = None,
        key: Any = None,  # noqa: ANN401 - bytes, or a private key of any kind
        algorithm: str = "RS256",
    ) -> str:
        """Return *payload* as a JSON Web Signature; the overrides create tokens that a verifier must reject.

        A header set to None is left out. *algorithm* may also be `none`, or HS256 with the bytes of a public key, which
        PyJWT refuses to sign with.
        """
        merged = {"alg": algorithm, "kid": self.current, "typ": "JWT", **(headers or {})}
        header = json.dumps({name: value for name, value in merged.items() if value is not None}).encode()
        signing_input = f"{base64url(header)}.{base64url(payload)}"
        signature = _signature(signing_input.encode(), key or self._keys[self.current], algorithm)
        return f"{signing_input}.{base64url(signature)}"


def base64url(raw: bytes) -> str:
    """Return *raw* in base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _signature(message: bytes, key: Any, algorithm: str) -> bytes:  # noqa: ANN401 - bytes, or a private key
    if algorithm == "none":
        return b""
    if algorithm == "HS256":
        return hmac.digest(key, message, "sha256")
    signature: bytes = get_default_algorithms()[algorithm].sign(message, key)
    return signature


def _jwk(key: RSAPrivateKey) -> dict[str, str]:
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {name: str(public[name]) for name in ("e", "kty", "n")}


def _thumbprint(jwk: Mapping[str, str]) -> str:
    # RFC 7638: the required members in alphabetical order, without white space
    return base64url(hashlib.sha256(json.dumps(jwk, separators=(",", ":")).encode()).digest())
