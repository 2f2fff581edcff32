"""The OpenID Connect issuer: its key set, and the bearer tokens that it signs."""
