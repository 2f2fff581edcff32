"""The connection pool for the hosts of the web."""

from __future__ import annotations

import ssl

from chalicelib.adapters.http import pool


def test_certificates_are_checked() -> None:
    """Of the host that is asked, by an authority that this machine trusts; the authorities are loaded once."""
    assert pool.pool() is pool.pool()
    context = pool.pool().connection_pool_kw["ssl_context"]

    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
