"""The log: one line for each request, which the cluster's own audit log can be joined with."""

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


def audited(stack: Stack[EmbeddedCluster | RealCluster], request_id: str) -> list[str]:
    """The paths that the cluster's audit log has under *request_id*."""
    if isinstance(stack.cluster, EmbeddedCluster):
        return [one.target for one in stack.cluster.requests if ("Audit-ID", request_id) in one.headers]
    return [line["requestURI"] for line in stack.cluster.plane.audit_lines() if line["auditID"] == request_id]


def logged(answer: httpx.Response, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one line of the request that was answered so."""
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    (found,) = [line for line in lines if line["request"] == answer.headers["X-Request-Id"]]
    return dict(found)


@pytest.mark.parametrize("request_and_line", REQUESTS)
def test_line_is_joined_with_the_audit_log(
    stack: Stack[EmbeddedCluster | RealCluster],
    api: Api,
    capfd: pytest.CaptureFixture[str],
    request_and_line: tuple[str, str, object, str, int],
) -> None:
    """By the request's id: each attempt that the line counts is a line of the cluster's, and took part of the time."""
    method, path, body, function, status = request_and_line

    answer = api.ask(method, path, json=body)

    line = logged(answer, capfd)
    assert line.keys() >= ALWAYS
    assert (line["function"], line["status"], line["subject"]) == (function, status, "alice")
    assert line.get("code") == (answer.json()["code"] if status >= 400 else None)
    assert eventually(lambda: len(audited(stack, line["request"])), lambda count: count == line["attempts"]) > 0
    assert line["clusterMilliseconds"] > 0


def test_line_names_project_and_job(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    """Whether they came in the path or in the body."""
    submitted = logged(api.submit(name="named"), capfd)
    asked = logged(api.ask("GET", "/jobs/team-a/named"), capfd)

    assert [(line["project"], line["name"]) for line in (submitted, asked)] == [("team-a", "named")] * 2
