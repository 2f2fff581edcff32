"""The connection pool for AWS and the token issuer."""

from __future__ import annotations

import ssl

from chalicelib.adapters.http import pool


def test_certificates_are_verified() -> None:
    """The chain and the host name are verified, and the certificate authorities are loaded once."""
    assert pool.pool() is pool.pool()
    context = pool.pool().connection_pool_kw["ssl_context"]

    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
