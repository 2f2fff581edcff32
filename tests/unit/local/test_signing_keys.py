"""The keys of the issuer, read with PyJWT as a verifier does."""

from __future__ import annotations

import hashlib
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from infra.local.signing_keys import SigningKeys, base64url


@pytest.fixture(scope="module")
def keys() -> SigningKeys:
    """Keys that no test rotates."""
    return SigningKeys()


class TestSign:
    """Valid signatures and forged ones."""

    def test_signature_is_valid(self, keys: SigningKeys) -> None:
        """A signature verifies with the published key, or with another key of another type."""
        token, other_key = keys.sign(b'{"sub": "ci"}'), ec.generate_private_key(ec.SECP256R1())
        key = jwt.PyJWKSet.from_dict(keys.jwks())[jwt.get_unverified_header(token)["kid"]]
        signed_by_other = keys.sign(b'{"sub": "x"}', key=other_key, algorithm="ES256")

        assert jwt.decode(token, key, ["RS256"]) == {"sub": "ci"}
        assert jwt.decode(signed_by_other, other_key.public_key(), ["ES256"]) == {"sub": "x"}

    def test_forged_tokens_can_be_created(self, keys: SigningKeys) -> None:
        """A token can be unsigned, lack a header, or be signed with the public key as an HS256 secret."""
        unsigned = keys.sign(b"{}", headers={"typ": "logout+jwt", "kid": None}, algorithm="none")
        signed, _, signature = keys.sign(b"{}", key=keys.public_pem(), algorithm="HS256").rpartition(".")

        assert unsigned.endswith(".")
        assert jwt.get_unverified_header(unsigned) == {"alg": "none", "typ": "logout+jwt"}
        assert signature == base64url(hmac.digest(keys.public_pem(), signed.encode(), hashlib.sha256))


class TestRotate:
    """Key rotation."""

    @pytest.mark.parametrize("retire", [False, True])
    def test_old_key_stays_published_until_it_is_retired(self, *, retire: bool) -> None:
        """Old tokens stay valid after a rotation, unless the old key is retired."""
        keys = SigningKeys()
        old = keys.current

        new = keys.rotate(retire=retire)

        assert [key["kid"] for key in keys.jwks()["keys"]] == ([new] if retire else [old, new])
        assert keys.current == new

    def test_public_half_is_published_by_its_thumbprint(self, keys: SigningKeys) -> None:
        """The JWKS has no private parts, and the key ID is the thumbprint of RFC 7638."""
        (key,) = keys.jwks()["keys"]

        text = json.dumps({name: key[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
        assert set(key) == {"alg", "e", "kid", "kty", "n", "use"}
        assert key["kid"] == base64url(hashlib.sha256(text.encode()).digest())
