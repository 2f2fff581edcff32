"""The request log: one line for each request, with the request id of the cluster's audit log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.cluster import EmbeddedCluster
from tests.support.eventually import eventually

if TYPE_CHECKING:
    import httpx

    from infra.local.local_stack import Stack
    from tests.cluster.real_cluster import RealCluster
    from tests.support.api import Api

MINIMAL = {"project": "team-a", "name": "logged", "image": "busybox"}
REQUESTS = [
    pytest.param(("POST", "/jobs", MINIMAL, "submit_job", 201), id="submit"),
    pytest.param(("POST", "/jobs", {**MINIMAL, "gpu": 9}, "submit_job", 409), id="name taken"),
    pytest.param(("GET", "/jobs/team-a/logged", None, "get_job", 200), id="get"),
    pytest.param(("GET", "/jobs/team-a", None, "list_jobs", 200), id="list"),
    pytest.param(("GET", "/jobs/team-b", None, "list_jobs", 403), id="another team's"),
    pytest.param(("GET", "/projects", None, "list_projects", 200), id="projects"),
    pytest.param(("GET", "/health?deep=true", None, "health", 200), id="health"),
    pytest.param(("DELETE", "/jobs", [{"project": "team-a", "name": "none"}], "delete_jobs", 200), id="delete some"),
    pytest.param(("DELETE", "/jobs/team-a/logged", None, "delete_job", 200), id="delete"),
]
ALWAYS = {
    "event",
    "function",
    "request",
    "subject",
    "status",
    "Milliseconds",
    "clusterMilliseconds",
    "attempts",
    "cold",
}


def audit_paths(stack: Stack[EmbeddedCluster | RealCluster], request_id: str) -> list[str]:
    """Return the paths in the cluster's audit log with *request_id*."""
    if isinstance(stack.cluster, EmbeddedCluster):
        return [each.target for each in stack.cluster.requests if ("Audit-ID", request_id) in each.headers]
    return [line["requestURI"] for line in stack.cluster.plane.audit_lines() if line["auditID"] == request_id]


def log_line(response: httpx.Response, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the log line of the request with that response."""
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    (found,) = [line for line in lines if line["request"] == response.headers["X-Request-Id"]]
    return dict(found)


@pytest.mark.parametrize("request_and_line", REQUESTS)
def test_line_is_joined_with_the_audit_log(
    stack: Stack[EmbeddedCluster | RealCluster],
    api: Api,
    capfd: pytest.CaptureFixture[str],
    request_and_line: tuple[str, str, object, str, int],
) -> None:
    """Each attempt that the line counts is in the audit log with the same request id, and took part of the time."""
    method, path, body, function, status = request_and_line

    response = api.request(method, path, json=body)

    line = log_line(response, capfd)
    assert line.keys() >= ALWAYS
    assert (line["function"], line["status"], line["subject"]) == (function, status, "alice")
    assert line.get("code") == (response.json()["code"] if status >= 400 else None)
    assert eventually(lambda: len(audit_paths(stack, line["request"])), lambda count: count == line["attempts"]) > 0
    assert line["clusterMilliseconds"] > 0


def test_line_names_project_and_job(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    """The line has the Project and the Job name, from the path or from the body."""
    submitted = log_line(api.submit(name="named"), capfd)
    read = log_line(api.request("GET", "/jobs/team-a/named"), capfd)

    assert [(line["project"], line["name"]) for line in (submitted, read)] == [("team-a", "named")] * 2
