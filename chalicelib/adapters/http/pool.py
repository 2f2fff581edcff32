"""The connection pool for AWS and the token issuer, with the default certificate authorities.

Loading these takes 30 ms of a cold start, so it is done once. The cluster has its own authority and pool.
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


# Created on import on purpose: Lambda's INIT phase has a full vCPU, an invocation at 512 MB less than a third of one.
pool()
