"""One connection pool for the hosts of the web, which are AWS and the token issuer: their authorities are loaded once.

That costs 30 ms of a cold start each time; the cluster has an authority and a pool of its own.
"""

from __future__ import annotations

import ssl
from functools import cache

from urllib3 import PoolManager


@cache
def pool() -> PoolManager:
    """The pool of this process."""
    return PoolManager(ssl_context=ssl.create_default_context())


# On import, which is a Lambda's INIT: that has a whole processor, a request of 512 MB less than a third of one.
pool()
