"""The OpenID Connect issuer: its JWKS, and the verification of its bearer tokens."""
