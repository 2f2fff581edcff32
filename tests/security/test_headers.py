"""Headers with a forged identity: the headers for the cluster are derived from the token and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.cluster import EmbeddedCluster
from tests.security.hostile_tokens import bearer
from tests.security.sending import send_raw
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from infra.local.wire import Headers
    from tests.cluster.real_cluster import RealCluster

    AnyStack = Stack[EmbeddedCluster | RealCluster]

pytestmark = pytest.mark.attack("headers")

PATH = "/jobs/team-a/none"
CALLER = {
    "username": "researcher:api",
    "groups": ["researcher:team-a", "system:authenticated"],
    "extra": {"subject": ["researcher:alice"]},
}
GOLDEN = [
    ("Accept", "application/json"),
    ("Accept-Encoding", "identity"),
    ("Audit-ID", "<request>"),
    ("Authorization", "Bearer <EKS token>"),
    ("Content-Type", "application/json"),
    ("Host", "<cluster>"),
    ("Impersonate-Extra-Subject", "researcher:alice"),
    ("Impersonate-Group", "researcher:team-a"),
    ("Impersonate-User", "researcher:api"),
    ("User-Agent", "<client>"),
]
VOLATILE = {"Audit-ID": "<request>", "Host": "<cluster>", "User-Agent": "<client>"}

MASTERS = "system:masters"
SMUGGLED: list[Headers] = [
    [("Impersonate-User", "system:admin")],
    [("impersonate-user", "researcher:bob")],
    [("IMPERSONATE-USER", "admin"), ("ImPeRsOnAtE-GrOuP", MASTERS)],
    [("Impersonate-Group", MASTERS)],
    [("Impersonate-Group", "researcher:team-b")],
    [("Impersonate-Group", "researcher:team-a"), ("Impersonate-Group", "researcher:team-b")],
    [("Impersonate-Group", "researcher:team-a,researcher:team-b")],
    [("Impersonate-Uid", "0")],
    [("Impersonate-Extra-Subject", "researcher:bob")],
    [("Impersonate-Extra-scopes", "*"), ("Impersonate-Extra-%73ubject", "researcher:bob")],
    [("Impersonate_User", "admin"), ("Impersonate_Group", MASTERS)],
    [("HTTP_IMPERSONATE_USER", "admin")],
    [("X-Impersonate-User", "admin")],
    [("X-Remote-User", "admin"), ("X-Remote-Group", MASTERS), ("X-Remote-Extra-Subject", "bob")],
    [("x-remote-user", "system:apiserver")],
    [("X-Forwarded-User", "bob"), ("X-Forwarded-Groups", MASTERS), ("X-Forwarded-Email", "bob@example.com")],
    [("X-Forwarded-For", "10.0.0.1"), ("X-Real-IP", "10.0.0.1"), ("Forwarded", "for=10.0.0.1;host=evil")],
    [("X-Forwarded-Host", "evil.example.com"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Prefix", "/api")],
    [("X-Original-URL", "/jobs/team-b"), ("X-Rewrite-URL", "/jobs/team-b")],
    [("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method", "DELETE"), ("X-Method-Override", "DELETE")],
    [("Connection", "Impersonate-User, Authorization"), ("Impersonate-User", "admin")],
    [("Connection", "close, Impersonate-Group"), ("Proxy-Connection", "Impersonate-User")],
    [("Keep-Alive", "Impersonate-User"), ("TE", "trailers"), ("Trailer", "Impersonate-Group")],
    [
        ("Upgrade", "SPDY/3.1"),
        ("Sec-WebSocket-Protocol", "v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.eA"),
    ],
    [("Proxy-Authorization", "Bearer x"), ("X-Authorization", "Bearer x"), ("Cookie", "Authorization=Bearer x")],
    [("Host", "kubernetes.default.svc"), ("X-Host", "kubernetes.default.svc")],
    [("Audit-ID", "forged"), ("X-Request-Id", "forged"), ("X-Amzn-RequestId", "forged")],
    [("X-Amz-Security-Token", "x"), ("X-K8s-Aws-Id", "another-cluster"), ("X-Amz-Date", "20200101T000000Z")],
    [("User-Agent", "kubectl/v1.36.0"), ("Accept", "application/vnd.kubernetes.protobuf"), ("Range", "bytes=0-1")],
    [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
    [("X-Subject", "bob"), ("X-User", "bob"), ("X-Groups", MASTERS), ("Subject", "bob"), ("From", "bob")],
    [("If-Match", '"1"'), ("Idempotency-Key", "k"), ("Impersonate-User\u00a0", "admin")],
]


def normalize(headers: Headers) -> Headers:
    """Return the sorted *headers*, with placeholders for values that depend on the request, cluster or version."""
    normalized = [
        (name, VOLATILE.get(name, re.sub(r"k8s-aws-v1\.[-\w]+", "<EKS token>", value))) for name, value in headers
    ]
    return sorted(normalized)


def audit_lines(stack: Stack[RealCluster], request_id: str | None) -> list[dict[str, Any]]:
    """Return the lines of the API server's audit log for that request."""
    lines = stack.cluster.plane.audit_lines()
    return [line for line in lines if line["auditID"] == request_id and line["verb"] == "get"]


@pytest.mark.parametrize("smuggled", SMUGGLED, ids=lambda headers: ", ".join(name for name, _ in headers))
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_smuggled_headers_are_ignored(stack: AnyStack, smuggled: Headers, first: bool) -> None:
    """The cluster gets the user, groups and subject of the token, and no other header."""
    token = bearer(stack.issuer.mint("alice"))
    send_raw(stack, "GET", PATH, token)  # fills the caches of the role's session and its groups

    response = send_raw(stack, "GET", PATH, [*smuggled, *token] if first else [*token, *smuggled])

    assert response.status == 404, response.body
    if isinstance(stack.cluster, EmbeddedCluster):
        assert normalize(stack.cluster.requests[-1].headers) == GOLDEN
    else:
        real: Stack[RealCluster] = stack  # type: ignore[assignment] # narrowed by its cluster
        (line,) = eventually(lambda: audit_lines(real, response.header("X-Request-Id")), bool)
        assert line["impersonatedUser"] == CALLER
        assert (line["sourceIPs"], line["objectRef"]["namespace"]) == (["127.0.0.1"], "researcher-team-a")
