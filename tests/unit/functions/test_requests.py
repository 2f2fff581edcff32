"""Requests that every function rejects: invalid names, unknown query parameters, and ETags that match no Job.

None of them causes a request to the cluster. What is specific to one function is in a module of its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import app
from chalicelib.runtime.operation import BASE, IF_MATCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from infra.localcluster.cluster import EmbeddedCluster
    from tests.support.api import Api


class Route(NamedTuple):
    """An operation, its path, and queries that it rejects, beside one with an unknown parameter."""

    operation: str
    method: str
    path: str
    invalid_queries: tuple[str, ...] = ()
    body: object = None

    def at(self, project: str = "team-a", name: str = "missing") -> str:
        """Return the path of this Project and Job."""
        return self.path.format(project=project, name=name)


DRY_RUN = ("dryRun=yes", "dryRun=", "dryRun=true&dryRun=true", "dryrun=true")
INVALID_LISTS = (
    "limit=0", "limit=501", "limit=ten", "limit=1&limit=2", "status=Sleeping", "status=", "jobTypeFilter=train",
    "label=a%20in%20(b)", "label=,", "user=", "page=2", "pageToken=%00",
    "status=Failed,Sleeping", "status=Failed,", "name=", "name=A", "name=a&name=b", "since=", "since=yesterday",
    "since=2026-11-28T09:30:00", "since=1h&since=2h",
)  # fmt: skip
INVALID_QUERIES = {
    "submit_job": DRY_RUN,
    "clone_job": DRY_RUN,
    "list_jobs": (*INVALID_LISTS, "wait=5", "wait=26&until=finished", "until=running", "until=", "wait="),
    "list_all_jobs": (*INVALID_LISTS, "until=finished"),
    "get_job": (
        "wait=26", "wait=-1", "wait=1.5", "wait=", "wait=x", "until=started", "wait=1&wait=2", "until=running&x=1",
        "include=", "include=pods", "include=submission&include=submission",
    ),
    "delete_matching_jobs": (
        "", "label=", "label=a!=b", "label=a=", "label=a", "status=Failed", "label=a=b&label=a=b", "label=a=b&name=x",
        "label=a=b&status=", "label=a=b&dryRun=yes", "label=a=b&dryrun=true", "dryRun=true",
    ),
    "delete_job": ("reason=", "reason=" + "x" * 257, "uid=1&uid=2"),
    "retry_job": ("dryRun=true", "index=1"),
    "job_indexes": ("status=Failed", "status=", "limit=0", "limit=501", "pageToken=x", "pageToken=-1", "pageToken=%00"),
    "job_logs": (
        "tail=0", "tail=x", "tail=1&tail=2", "limitBytes=1000001", "container=A", "container=..", "follow=true",
        "wait=26", "wait=-1", "wait=x", "cursor=", "cursor=a.b", "cursor=a&cursor=b",
    ),
    "health": ("deep=yes", "deep=true&deep=true"),
}  # fmt: skip
BODIES: dict[str, object] = {
    "submit_job": {"project": "team-a", "image": "busybox"},
    "delete_jobs": [{"project": "team-a", "name": "missing"}],
    "clone_job": {},
}
VIEWS: dict[tuple[str, str, str], Any] = {
    (entry.view_name, method, path.removeprefix(BASE)): entry.view_function
    for path, methods in app.app.routes.items() if path.startswith(BASE)
    for method, entry in methods.items()
}  # fmt: skip
ROUTES = [Route(*key, ("force=true", *INVALID_QUERIES.get(key[0], ())), BODIES.get(key[0])) for key in VIEWS]
WITH_IF_MATCH = [
    route for route, view in zip(ROUTES, VIEWS.values(), strict=True) if IF_MATCH in view.operation.headers
]
INVALID = ["-", "UPPER", "a_b", "a%0A", "a%00", "%2e%2e", "..%2Fx", "a..b", "a%2Fb"]
INVALID_PROJECTS = [*INVALID, "a" * 51, "a.b"]
INVALID_NAMES = [*INVALID, "a" * 254]
NO_MATCH = ["", "0", "4711", '"0"', '"x"', "W/*", 'W/"1.00000000"', '"4711.9f3a21c"', '"1.00000000", "2.00000000"']
"""Values of If-Match that were never an ETag of a response."""


def operation_name(route: Route) -> str:
    """Return the test id of *route*."""
    return route.operation


@pytest.fixture
def no_cluster_request(stack: Stack[EmbeddedCluster], api: Api) -> Iterator[None]:
    """Check that the test sends no request to the cluster."""
    api.request("GET", "/projects")  # caches the groups that the API may impersonate
    before = len(stack.cluster.requests)
    yield
    assert len(stack.cluster.requests) == before


@pytest.mark.usefixtures("no_cluster_request")
class TestRejected:
    """Requests that are rejected before a request to the cluster."""

    @pytest.mark.parametrize("project", INVALID_PROJECTS)
    @pytest.mark.parametrize("route", [route for route in ROUTES if "{project}" in route.path], ids=operation_name)
    def test_invalid_project(self, api: Api, route: Route, project: str) -> None:
        """A name is validated before it is part of a URL."""
        response = api.request(route.method, route.at(project=project), json=route.body)

        # 404, 405: with the slash or the dots resolved it is another path.
        assert response.status_code in (400, 404, 405)

    @pytest.mark.parametrize("name", INVALID_NAMES)
    @pytest.mark.parametrize("route", [route for route in ROUTES if "{name}" in route.path], ids=operation_name)
    def test_invalid_name(self, api: Api, route: Route, name: str) -> None:
        """A Job's name is validated, too."""
        response = api.request(route.method, route.at(name=name), json=route.body)

        assert response.status_code in (400, 404, 405)

    @pytest.mark.parametrize(
        ("route", "query"), [(route, query) for route in ROUTES for query in ("colour=red", *route.invalid_queries)]
    )
    def test_invalid_query(self, api: Api, route: Route, query: str) -> None:
        """An unknown or misspelt parameter is an error that names it."""
        response = api.request(route.method, f"{route.at()}?{query}", json=route.body)

        assert (response.status_code, response.json()["code"]) == (400, "malformed_request")
        assert response.json()["errors"]

    @pytest.mark.parametrize("tag", NO_MATCH)
    @pytest.mark.parametrize("route", WITH_IF_MATCH, ids=operation_name)
    def test_if_match_without_a_valid_etag(self, api: Api, route: Route, tag: str) -> None:
        """An ETag that no Job ever had matches nothing, and is not ignored."""
        response = api.request(route.method, route.at(), headers={"If-Match": tag})

        assert (response.status_code, response.json()["code"]) == (412, "precondition_failed")
