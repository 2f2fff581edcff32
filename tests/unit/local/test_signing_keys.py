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
    """Signatures."""

    def test_signature_is_valid(self, keys: SigningKeys) -> None:
        """PyJWT takes the token with the published key."""
        token = keys.sign(b'{"sub": "ci"}')

        key = jwt.PyJWKSet.from_dict(keys.jwks())[jwt.get_unverified_header(token)["kid"]]
        assert jwt.decode(token, key, ["RS256"]) == {"sub": "ci"}

    def test_headers_are_changed_as_told(self, keys: SigningKeys) -> None:
        """None leaves a header out; the oldest attack of all has no signature."""
        token = keys.sign(b"{}", headers={"typ": "logout+jwt", "kid": None}, algorithm="none")

        assert token.endswith(".")
        assert jwt.get_unverified_header(token) == {"alg": "none", "typ": "logout+jwt"}

    def test_public_key_may_be_used_as_a_secret(self, keys: SigningKeys) -> None:
        """The second oldest: a verifier that lets the token choose the algorithm."""
        token = keys.sign(b"{}", key=keys.public_pem(), algorithm="HS256")

        signed, _, signature = token.rpartition(".")
        expected = hmac.digest(keys.public_pem(), signed.encode(), hashlib.sha256)
        assert signature == base64url(expected)

    def test_key_of_another_kind_may_sign(self, keys: SigningKeys) -> None:
        """A stranger's key, of another type."""
        key = ec.generate_private_key(ec.SECP256R1())

        token = keys.sign(b'{"sub": "x"}', key=key, algorithm="ES256")

        assert jwt.decode(token, key.public_key(), ["ES256"]) == {"sub": "x"}


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
