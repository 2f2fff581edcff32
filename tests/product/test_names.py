"""Unusual names in paths and bodies: no request leaves the Jobs of Projects."""

from __future__ import annotations

import http.client
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from infra.localcluster.cluster import EmbeddedCluster
from tests.support.api import token

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.cluster.real_cluster import RealCluster

UNUSUAL = [
    "",
    ".",
    "..",
    "../team-b",
    "%2e%2e",
    "%2e%2e%2fteam-b",
    "..%2fresearcher-team-b%2fjobs",
    "team-a%2f..%2f..%2fkube-system",
    "team-a/jobs/../../researcher-team-b",
    "%252e%252e",
    "*",
    "team-a;x",
    "team-a%00",
    "team-a%0a",
    "team-a%3flabelSelector=x",
    "team-a?x#",
    "%c0%ae%c0%ae",
    "\\..\\..",
    "TEAM-A",
    "-",
    "a" * 300,
]
ALLOWED = re.compile(
    r"/apis/batch/v1/namespaces/researcher-[a-z0-9-]{1,50}/jobs(/[a-z0-9.-]{1,63})?(\?.*)?"
    r"|/api/v1/namespaces(\?.*)?|/api/v1/namespaces/researcher-[a-z0-9-]{1,50}/pods\?.*"
    r"|/apis/authorization.k8s.io/v1/selfsubject(access|rules)reviews"
)


def cluster_paths(stack: Stack[EmbeddedCluster | RealCluster]) -> list[str]:
    """Return the paths that the functions have requested from the API server so far."""
    if isinstance(stack.cluster, EmbeddedCluster):
        return [each.target for each in stack.cluster.requests]
    lines = stack.cluster.plane.audit_lines()
    return [each["requestURI"] for each in lines if each["user"].get("username", "").startswith("researcher-api:")]


def send(stack: Stack[Any], bearer: str, method: str, path: str, body: object = None) -> int:
    """Send a request whose *path* is not normalized, and return the status."""
    connection = http.client.HTTPConnection(urlsplit(stack.base_url).netloc)
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    connection.putrequest(method, urlsplit(stack.base_url).path + path, skip_accept_encoding=True)
    text = json.dumps(body).encode() if body is not None else b""
    for name, value in {**headers, "Content-Length": str(len(text))}.items():
        connection.putheader(name, value)
    connection.endheaders(text)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("name", UNUSUAL, ids=lambda name: repr(name[:40]))
def test_unusual_names_are_rejected(stack: Stack[EmbeddedCluster | RealCluster], name: str) -> None:
    """Each name is rejected with a 4xx status, and the cluster gets no request beyond Projects' Jobs."""
    bearer = token(stack, "alice")
    paths = [f"/jobs/{name}", f"/jobs/{name}/train-1", f"/jobs/team-a/{name}"]

    statuses = [send(stack, bearer, method, path) for path in paths for method in ("GET", "DELETE")]
    statuses.append(send(stack, bearer, "POST", "/jobs", {"project": name, "image": "x"}))
    statuses.append(send(stack, bearer, "POST", "/jobs", {"project": "team-a", "image": "x", "name": name}))
    statuses.append(send(stack, bearer, "DELETE", "/jobs", [{"project": "team-a", "name": name}]))

    # With an empty name a path ends in a slash, and is that of the list of all Jobs or of a Project's.
    listed = [200, 200] if not name else []
    assert [status for status in statuses if status // 100 != 4] == listed
    assert [target for target in cluster_paths(stack) if not ALLOWED.fullmatch(target)] == []
