"""Connections to the API server: the official client's pool, and one authority at a time."""

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
"""With these OpenSSL cannot tell two authorities of one name apart."""


def test_configuration_is_the_clients_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """In all that it says but for proxies, which are nobody's here."""
    monkeypatch.setenv("https_proxy", "http://proxy.example.com:3128")
    ours = asdict(Configuration())
    theirs = ClientsConfiguration("https://10.0.0.1", connection_pool_maxsize=16)

    assert {name: getattr(theirs, name) for name in ours} == ours | {"proxy": "http://proxy.example.com:3128"}


class TestRequest:
    """One request, whichever authority has certified the server."""

    def test_authority_that_fits_is_found_and_remembered(self) -> None:
        """Of several with one name; the second request makes no second attempt to connect."""
        identity = server_identity(WITHOUT_IDENTIFIERS)
        others = [server_identity(WITHOUT_IDENTIFIERS).ca_pem for _ in range(3)]
        pool = ClusterPool("".join([*others, identity.ca_pem]))
        with ScriptedServer(identity.context) as site:
            site.on("/api", json_reply({}))

            responses = [pool.request("GET", f"{site.url}/api") for _ in range(2)]
            for response in responses:
                response.close()

        found = [response.status for response in responses]
        assert (found, pool._order()[0], len(site.asked)) == ([200, 200], 3, 2)  # noqa: SLF001 - what it remembers

    @pytest.mark.parametrize("position", [0, 1])
    def test_error_is_that_of_the_authority_that_signed(self, position: int) -> None:
        """An expired certificate is not called one of an unknown authority."""
        expired = server_identity(Shape(server_valid=(timedelta(days=-9), timedelta(days=-1))))
        trusted = [server_identity().ca_pem]
        trusted.insert(position, expired.ca_pem)
        with ScriptedServer(expired.context) as site, pytest.raises(HTTPError) as refused:
            ClusterPool("".join(trusted)).request("GET", f"{site.url}/api")

        assert certificate_problem(refused.value) == "has expired"
        assert site.asked == []

    def test_another_failure_is_met_once(self) -> None:
        """A host where nobody listens has no certificate to try."""
        pool = ClusterPool(server_identity().ca_pem * 2)
        with pytest.raises(HTTPError) as refused:
            pool.request("GET", unused_url().replace("http:", "https:"))

        assert failure_reason(refused.value) == "connect_failed"

    def test_no_tls_is_no_certificate(self) -> None:
        """A server that speaks plain HTTP on that port."""
        with ScriptedServer() as site, pytest.raises(HTTPError) as refused:
            ClusterPool(server_identity().ca_pem * 2).request("GET", site.url.replace("http:", "https:"))

        assert failure_reason(refused.value) == "tls_handshake"
