"""The connection pool to the API server, with one authority at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kubernetes.client import Configuration as ClientsConfiguration
from msgspec.structs import asdict
from urllib3.exceptions import HTTPError

from chalicelib.adapters.http.connection_failures import certificate_problem, failure_reason
from chalicelib.adapters.kubernetes.connection_pool import ClusterPool, Configuration
from infra.localcluster.certificates import Shape, server_identity
from tests.support.scripted_server import ScriptedServer, json_reply, unused_url

WITHOUT_IDENTIFIERS = Shape(key_identifiers=False)
"""Without key identifiers OpenSSL cannot distinguish two authorities with the same name."""


def test_configuration_has_the_clients_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """All attributes are those of the client's Configuration, except the proxy."""
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    ours = asdict(Configuration())
    theirs = ClientsConfiguration("https://10.0.0.1", connection_pool_maxsize=16)

    assert {name: getattr(theirs, name) for name in ours} == ours | {"proxy": "http://proxy.example.com:3128"}


class TestRequest:
    """A request to a server that one of several authorities has certified."""

    def test_matching_authority_is_found_and_remembered(self) -> None:
        """The second request needs no second handshake, even if several authorities have the same name."""
        identity = server_identity(WITHOUT_IDENTIFIERS)
        others = [server_identity(WITHOUT_IDENTIFIERS).ca_pem for _ in range(3)]
        pool = ClusterPool("".join([*others, identity.ca_pem]))
        with ScriptedServer(identity.context) as site:
            site.on("/api", json_reply({}))

            responses = [pool.request("GET", f"{site.url}/api") for _ in range(2)]
            for response in responses:
                response.close()

        found = [response.status for response in responses]
        assert (found, pool._order()[0], len(site.requests)) == ([200, 200], 3, 2)  # noqa: SLF001 - what it remembers

    @pytest.mark.parametrize("position", [0, 1])
    def test_error_is_that_of_the_matching_authority(self, position: int) -> None:
        """An expired certificate is not reported as one of an unknown authority."""
        expired = server_identity(Shape(server_valid=(timedelta(days=-9), timedelta(days=-1))))
        trusted = [server_identity().ca_pem]
        trusted.insert(position, expired.ca_pem)
        with ScriptedServer(expired.context) as site, pytest.raises(HTTPError) as raised:
            ClusterPool("".join(trusted)).request("GET", f"{site.url}/api")

        assert certificate_problem(raised.value) == "has expired"
        assert site.requests == []

    def test_other_failure_is_not_retried(self) -> None:
        """A refused connection is independent of the authority."""
        pool = ClusterPool(server_identity().ca_pem * 2)
        with pytest.raises(HTTPError) as raised:
            pool.request("GET", unused_url().replace("http:", "https:"))

        assert failure_reason(raised.value) == "connect_failed"

    def test_server_without_tls(self) -> None:
        """A server that speaks plain HTTP is a failed handshake."""
        with ScriptedServer() as site, pytest.raises(HTTPError) as raised:
            ClusterPool(server_identity().ca_pem * 2).request("GET", site.url.replace("http:", "https:"))

        assert failure_reason(raised.value) == "tls_handshake"
