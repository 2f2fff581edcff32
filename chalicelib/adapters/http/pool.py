"""The connection pool for AWS and token issuers, with the default certificate authorities.

Loading these takes 30 ms of a cold start, so it is done once. The cluster has its own authority and pool, and so has an
issuer with a private authority.
"""

from __future__ import annotations

import ssl
from functools import cache

from urllib3 import PoolManager

from chalicelib.adapters.http.kept_connections import keep_connections


@cache
def pool() -> PoolManager:
    """Return the pool of this process."""
    return keep_connections(PoolManager(ssl_context=ssl.create_default_context()))


def private_pool(authorities: str) -> PoolManager:
    """Return a pool that trusts *authorities* (PEM) and no others; ssl.SSLError if they are not certificates."""
    return keep_connections(PoolManager(ssl_context=ssl.create_default_context(cadata=authorities)))


# Created on import on purpose: Lambda's INIT phase has a full vCPU, an invocation at 512 MB less than a third of one.
pool()
