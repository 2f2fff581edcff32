"""Odd names in paths and bodies: whatever a caller writes, no request leaves the Jobs of Projects."""

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

ODD = [
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


def upstream(stack: Stack[EmbeddedCluster | RealCluster]) -> list[str]:
    """What the functions have asked the API server so far, as it saw it."""
    if isinstance(stack.cluster, EmbeddedCluster):
        return [one.target for one in stack.cluster.requests]
    lines = stack.cluster.plane.audit_lines()
    return [one["requestURI"] for one in lines if one["user"].get("username", "").startswith("researcher-api:")]


def send(stack: Stack[Any], bearer: str, method: str, path: str, body: object = None) -> int:
    """The status of the answer to a request whose *path* goes out as it stands."""
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


@pytest.mark.parametrize("name", ODD, ids=lambda name: repr(name[:40]))
def test_odd_names_reach_nothing(stack: Stack[EmbeddedCluster | RealCluster], name: str) -> None:
    """Every one is refused as a client's fault, and the cluster is asked for nothing beyond Projects' Jobs."""
    bearer = token(stack, "alice")
    paths = [f"/jobs/{name}", f"/jobs/{name}/train-1", f"/jobs/team-a/{name}"]

    statuses = [send(stack, bearer, method, path) for path in paths for method in ("GET", "DELETE")]
    statuses.append(send(stack, bearer, "POST", "/jobs", {"project": name, "image": "x"}))
    statuses.append(send(stack, bearer, "POST", "/jobs", {"project": "team-a", "image": "x", "name": name}))
    statuses.append(send(stack, bearer, "DELETE", "/jobs", [{"project": "team-a", "name": name}]))

    # A slash at the end is no name: that is the list itself.
    listed = [200] if not name else []
    assert [status for status in statuses if status // 100 != 4] == listed
    assert [target for target in upstream(stack) if not ALLOWED.fullmatch(target)] == []
