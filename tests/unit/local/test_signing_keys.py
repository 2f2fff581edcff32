"""Keys of the issuer, read by PyJWT as a verifier would."""

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
    """Signatures, good ones and those of attackers."""

    def test_signature_is_valid(self, keys: SigningKeys) -> None:
        """With the published key, or with a stranger's of another type."""
        token, stranger = keys.sign(b'{"sub": "ci"}'), ec.generate_private_key(ec.SECP256R1())
        key = jwt.PyJWKSet.from_dict(keys.jwks())[jwt.get_unverified_header(token)["kid"]]
        other = keys.sign(b'{"sub": "x"}', key=stranger, algorithm="ES256")

        assert jwt.decode(token, key, ["RS256"]) == {"sub": "ci"}
        assert jwt.decode(other, stranger.public_key(), ["ES256"]) == {"sub": "x"}

    def test_oldest_attacks_can_be_made(self, keys: SigningKeys) -> None:
        """No signature, with a header left out; and the public key as the secret of an algorithm that takes one."""
        bare = keys.sign(b"{}", headers={"typ": "logout+jwt", "kid": None}, algorithm="none")
        signed, _, signature = keys.sign(b"{}", key=keys.public_pem(), algorithm="HS256").rpartition(".")

        assert bare.endswith(".")
        assert jwt.get_unverified_header(bare) == {"alg": "none", "typ": "logout+jwt"}
        assert signature == base64url(hmac.digest(keys.public_pem(), signed.encode(), hashlib.sha256))


class TestRotate:
    """Key rotation."""

    @pytest.mark.parametrize("retire", [False, True])
    def test_old_key_stays_published_until_it_is_retired(self, *, retire: bool) -> None:
        """Tokens in flight stay valid, but for those of a key that leaked."""
        keys = SigningKeys()
        old = keys.current

        new = keys.rotate(retire=retire)

        assert [key["kid"] for key in keys.jwks()["keys"]] == ([new] if retire else [old, new])
        assert keys.current == new

    def test_public_half_is_published_by_its_thumbprint(self, keys: SigningKeys) -> None:
        """A JWKS is for everybody; RFC 7638: the same key has the same id everywhere."""
        (key,) = keys.jwks()["keys"]

        text = json.dumps({name: key[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
        assert set(key) == {"alg", "e", "kid", "kty", "n", "use"}
        assert key["kid"] == base64url(hashlib.sha256(text.encode()).digest())
