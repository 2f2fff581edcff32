"""TLS to the cluster: certificate authorities as EKS has issued them, and certificates that must be rejected."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.kubernetes.api_request import ApiRequest
from chalicelib.adapters.kubernetes.tls import cluster_contexts
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import ClusterUnavailable
from infra.localcluster.certificates import ServerIdentity, Shape, server_identity
from tests.support.scripted_server import ScriptedServer, api_at, json_reply

SHAPES = {
    "EKS, clusters created on Kubernetes 1.17 or later": Shape(),
    "EKS, clusters created on Kubernetes 1.16 or earlier": Shape(key_identifiers=False),
    "BasicConstraints alone, as reported of newer EKS clusters": Shape(key_usage=False, key_identifiers=False),
    "no key usage": Shape(key_usage=False),
}
"""The extensions of the certificate authorities of clusters."""
PAST = (timedelta(days=-30), timedelta(minutes=-1))
FUTURE = (timedelta(hours=1), timedelta(days=30))
INVALID = {
    "expired": (Shape(server_valid=PAST), "has expired", "expired"),
    "not valid yet": (Shape(server_valid=FUTURE), "is not valid yet", "not_yet_valid"),
    "of an authority that has expired": (Shape(authority_valid=PAST), "has expired", "expired"),
    "for another host": (
        Shape(hosts=("cluster.example", "127.0.0.2")),
        "is issued for another host",
        "wrong_host",
    ),
}
"""Invalid certificates, how the error describes them, and how the log does."""

pytestmark = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def request(server: ServerIdentity, trusted: str) -> int:
    """Send a request to a server with this identity, trusting *trusted*, and return its status."""
    with ScriptedServer(server.context) as site:
        site.on("/api", json_reply({}))
        try:
            return api_at(site.url, ca=trusted).send(ApiRequest("GET", "/api"), (), Deadline.after(60)).status
        finally:
            # A client that closes the connection in the handshake has sent no request.
            assert all(requests.values("Authorization") == ["Bearer token-1"] for requests in site.requests)
            assert len(site.requests) <= 1


def connection_error(server: ServerIdentity, trusted: str) -> ClusterUnavailable:
    """Return the error of a request to a server that must not be trusted."""
    with pytest.raises(ClusterUnavailable) as raised:
        request(server, trusted)
    return raised.value


class TestTrusted:
    """The cluster's own certificate."""

    def test_is_accepted(self, shape: Shape) -> None:
        """RFC 5280 allows certificate authorities without these extensions."""
        identity = server_identity(shape)

        assert request(identity, identity.ca_pem) == 200

    @pytest.mark.parametrize("position", ["first", "last"])
    def test_is_accepted_during_a_rotation(self, shape: Shape, position: str) -> None:
        """The configuration then has the old and the new authority, in any order."""
        new, old = server_identity(Shape()), server_identity(shape)
        trusted = old.ca_pem + new.ca_pem if position == "first" else new.ca_pem + old.ca_pem

        assert [request(old, trusted), request(new, trusted)] == [200, 200]


class TestRejected:
    """Other certificates: the token is never sent, and the error has no Retry-After."""

    def test_another_authority(self, shape: Shape) -> None:
        """An authority with the same name and extensions but another key is not trusted."""
        error = connection_error(server_identity(shape), server_identity(shape).ca_pem)

        assert error.detail == (
            "The TLS certificate of the cluster is not signed by a certificate authority that this API trusts. "
            "Report this to the operators of this API, with the X-Request-Id."
        )
        assert (error.retry_after, error.why) == (None, "tls_verification_unknown_authority")

    @pytest.mark.parametrize(("invalid", "problem", "check"), INVALID.values(), ids=INVALID)
    def test_invalid_certificate_of_the_trusted_authority(
        self, shape: Shape, invalid: Shape, problem: str, check: str
    ) -> None:
        """The dates of both certificates and the host name are verified."""
        identity = server_identity(replace(invalid, key_usage=shape.key_usage, key_identifiers=shape.key_identifiers))

        error = connection_error(identity, identity.ca_pem)

        assert error.detail.startswith(f"The TLS certificate of the cluster {problem}. Report this")
        assert (error.retry_after, error.why) == (None, f"tls_verification_{check}")

    def test_no_authority(self, shape: Shape) -> None:
        """Without an authority the client trusts no server, not even with a public certificate."""
        assert connection_error(server_identity(shape), "").why == "tls_verification_unknown_authority"


def test_authorities_without_a_certificate_are_refused(shape: Shape) -> None:
    """A text that is not PEM does not become a context that trusts no server."""
    with pytest.raises(ValueError, match="no certificate in PEM"):
        cluster_contexts(server_identity(shape).ca_pem.replace("BEGIN", "END"))


def test_only_the_strict_check_is_off(shape: Shape) -> None:
    """Everything else is as Python 3.13 sets it, on every version of Python."""
    (context,) = cluster_contexts(server_identity(shape).ca_pem)

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert not context.hostname_checks_common_name
    assert len(context.get_ca_certs()) == 1
