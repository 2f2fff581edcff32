"""The connection pool to the API server: that of the official client, with a separate TLS context.

During a rotation of the cluster's certificate authority the old and the new one are trusted, and both may have the same
name. If the server's certificate has no key identifier, OpenSSL tries only one authority of that name, and rejects
certificates of the other. So there is one pool for each authority, and the pool that worked last is tried first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from kubernetes.client.rest import RESTClientObject
from urllib3.exceptions import SSLError

from chalicelib.adapters.http.connection_failures import UNTRUSTED, failure_reason
from chalicelib.adapters.http.kept_connections import keep_connections
from chalicelib.adapters.kubernetes.tls import cluster_contexts
from chalicelib.domain.failure_reasons import FailureReason

if TYPE_CHECKING:
    import ssl

    from urllib3 import BaseHTTPResponse, PoolManager

CONNECTIONS = 16
_ONCE: dict[str, Any] = {"retries": False, "redirect": False, "preload_content": False}


class Configuration(msgspec.Struct, frozen=True):
    """The attributes of the client's Configuration that RESTClientObject reads, with its defaults, but without a proxy.

    The client's own Configuration is 10 ms of a cold start, and reads a proxy from the environment. The certificate
    authority is in the TLS context, because urllib3 would load one from here again for each connection.
    """

    ca_cert_data: None = None
    connection_pool_maxsize: int = CONNECTIONS
    verify_ssl: bool = True
    ssl_ca_cert: None = None
    cert_file: None = None
    key_file: None = None
    assert_hostname: None = None
    tls_server_name: None = None
    retries: None = None
    socket_options: None = None
    proxy: None = None


class ClusterPool:
    """Sends requests to servers whose certificate one of *authorities* (PEM) has signed."""

    def __init__(self, authorities: str) -> None:
        self._pools = [_pool(context) for context in cluster_contexts(authorities)]
        self._trusted = 0

    def request(self, method: str, url: str, **options: Any) -> BaseHTTPResponse:  # noqa: ANN401 - urllib3's options
        """Send a request and return the response before its body; HTTPError or OSError if there is none.

        A certificate is rejected before the request is sent, so the next authority can be tried.
        """
        errors: list[SSLError] = []
        for index in self._order():
            try:
                response: BaseHTTPResponse = self._pools[index].request(method, url, **_ONCE, **options)
            except SSLError as error:
                if failure_reason(error) not in UNTRUSTED:
                    raise
                errors.append(error)
            else:
                self._trusted = index
                return response
        # Another authority may have signed the certificate; any other problem is that of the matching one.
        raise min(errors, key=lambda error: failure_reason(error) == FailureReason.TLS_UNKNOWN_AUTHORITY)

    def clear(self) -> None:
        """Close the idle connections; those in use stay open until their response is read."""
        for pool in self._pools:
            pool.clear()

    def _order(self) -> list[int]:
        """Return the indexes of the pools, beginning with the one that worked last."""
        return sorted(range(len(self._pools)), key=lambda index: index != self._trusted)


def _pool(context: ssl.SSLContext) -> PoolManager:
    pool: PoolManager = RESTClientObject(Configuration()).pool_manager
    pool.connection_pool_kw["ssl_context"] = context
    return keep_connections(pool)
