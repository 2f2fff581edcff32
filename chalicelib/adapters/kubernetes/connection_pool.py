"""Connections to the API server: the pool of the official client, with a TLS context of our own.

While a cluster's certificate authority is replaced, the old one and the new one are trusted, and both may have the same
name. Of such authorities OpenSSL tries one alone where the server's certificate has no key identifier, and refuses a
certificate of the other. So each authority has a pool of its own, and the one that fits is tried first the next time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from kubernetes.client.rest import RESTClientObject
from urllib3.exceptions import SSLError

from chalicelib.adapters.http.connection_failures import TLS_VERIFICATION, failure_reason, is_unknown_authority
from chalicelib.adapters.kubernetes.tls import cluster_contexts

if TYPE_CHECKING:
    import ssl

    from urllib3 import BaseHTTPResponse, PoolManager

CONNECTIONS = 16
_ONCE: dict[str, Any] = {"retries": False, "redirect": False, "preload_content": False}


class Configuration(msgspec.Struct, frozen=True):
    """What RESTClientObject reads of the client's Configuration, with the same defaults, but nobody's proxy.

    The client's own module is 10 ms of a cold start, and finds a proxy in the environment. The certificate authority
    is in the TLS context: given here, urllib3 would load it again for each connection.
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
    """Sends requests to servers that one of *authorities* has certified: certificates in PEM."""

    def __init__(self, authorities: str) -> None:
        self._pools = [_pool(context) for context in cluster_contexts(authorities)]
        self._trusted = 0

    def request(self, method: str, url: str, **options: Any) -> BaseHTTPResponse:  # noqa: ANN401 - urllib3's own
        """Send one request and return the head of its response; HTTPError or OSError when there is none.

        A certificate is refused before anything is sent, so the next authority may be tried.
        """
        errors: list[SSLError] = []
        for number in self._order():
            try:
                response: BaseHTTPResponse = self._pools[number].request(method, url, **_ONCE, **options)
            except SSLError as error:
                if failure_reason(error) != TLS_VERIFICATION:
                    raise
                errors.append(error)
            else:
                self._trusted = number
                return response
        raise min(errors, key=is_unknown_authority)

    def _order(self) -> list[int]:
        """The pools' numbers, the one that fitted last first."""
        return sorted(range(len(self._pools)), key=lambda number: number != self._trusted)


def _pool(context: ssl.SSLContext) -> PoolManager:
    pool: PoolManager = RESTClientObject(Configuration()).pool_manager
    pool.connection_pool_kw["ssl_context"] = context
    return pool
