"""TLS to the cluster: certificate authorities as EKS has issued them, and everything that must still be refused."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.kubernetes.api_client import ApiRequest
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
"""What an authority looks like that a cluster may have."""
PAST = (timedelta(days=-30), timedelta(minutes=-1))
FUTURE = (timedelta(hours=1), timedelta(days=30))
BAD = {
    "expired": (Shape(server_valid=PAST), "has expired"),
    "not valid yet": (Shape(server_valid=FUTURE), "is not valid yet"),
    "of an authority that has expired": (Shape(authority_valid=PAST), "has expired"),
    "for another host": (Shape(hosts=("cluster.example", "127.0.0.2")), "is issued for another host"),
}
"""Certificates that do not pass, and what the caller reads."""

pytestmark = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def request(server: ServerIdentity, trusted: str) -> int:
    """The status of one request to a server with that identity, from a client that trusts those authorities."""
    with ScriptedServer(server.context) as site:
        site.on("/api", json_reply({}))
        try:
            return api_at(site.url, ca=trusted).send(ApiRequest("GET", "/api"), (), Deadline.after(60)).status
        finally:
            # A client that hangs up in the handshake has sent nothing.
            assert all(asked.values("Authorization") == ["Bearer token-1"] for asked in site.asked)
            assert len(site.asked) <= 1


def refusal(server: ServerIdentity, trusted: str) -> ClusterUnavailable:
    """The error of a request that the client must not send."""
    with pytest.raises(ClusterUnavailable) as refused:
        request(server, trusted)
    return refused.value


class TestTrusted:
    """The cluster's own certificate."""

    def test_is_accepted(self, shape: Shape) -> None:
        """Whatever extensions RFC 5280 lets an authority leave out."""
        identity = server_identity(shape)

        assert request(identity, identity.ca_pem) == 200

    @pytest.mark.parametrize("position", ["first", "last"])
    def test_is_accepted_while_the_authority_is_replaced(self, shape: Shape, position: str) -> None:
        """CLUSTER_CA then holds the old authority and the new one, in any order."""
        new, old = server_identity(Shape()), server_identity(shape)
        trusted = old.ca_pem + new.ca_pem if position == "first" else new.ca_pem + old.ca_pem

        assert [request(old, trusted), request(new, trusted)] == [200, 200]


class TestRefused:
    """Any other certificate: the token is never sent, and the caller is not told to try again."""

    def test_foreign_authority(self, shape: Shape) -> None:
        """Of the same name and the same shape, but with another key."""
        error = refusal(server_identity(shape), server_identity(shape).ca_pem)

        assert error.detail == (
            "The TLS certificate of the cluster is not signed by a certificate authority that this API trusts. "
            "Report this to the operators of this API, with the X-Request-Id."
        )
        assert (error.retry_after, error.why) == (None, "tls_verification")

    @pytest.mark.parametrize(("bad", "words"), BAD.values(), ids=BAD)
    def test_bad_certificate_of_the_right_authority(self, shape: Shape, bad: Shape, words: str) -> None:
        """The dates of both certificates and the host name are checked."""
        identity = server_identity(replace(bad, key_usage=shape.key_usage, key_identifiers=shape.key_identifiers))

        error = refusal(identity, identity.ca_pem)

        assert error.detail.startswith(f"The TLS certificate of the cluster {words}. Report this")
        assert (error.retry_after, error.why) == (None, "tls_verification")

    def test_everything_without_an_authority(self, shape: Shape) -> None:
        """An empty CLUSTER_CA trusts no server, not even those that the web trusts."""
        assert refusal(server_identity(shape), "").why == "tls_verification"


def test_only_the_strict_check_is_off(shape: Shape) -> None:
    """Everything else is as Python 3.13 sets it, on every version of Python."""
    (context,) = cluster_contexts(server_identity(shape).ca_pem)

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert not context.hostname_checks_common_name
    assert len(context.get_ca_certs()) == 1
