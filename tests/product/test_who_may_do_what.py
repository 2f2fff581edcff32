"""Access control: a table of callers, Projects and operations, and the responses without access."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import app
from chalicelib.runtime.operation import BASE
from infra.localcluster.kinds import JOB, POD
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.support.api import IMAGE, Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from infra.local.local_stack import Stack

EXISTING = "there"


class Row(NamedTuple):
    """An operation on a Job of a Project, and the status that each of two callers gets in each of three Projects."""

    operation: str
    method: str
    path: str
    alice: tuple[int, int, int]
    bob: tuple[int, int, int]
    body: object = None


NEW = {"project": "PROJECT", "image": IMAGE}
SAME = {"project": "PROJECT"}
TARGETS = [{"project": "PROJECT", "name": EXISTING}]

#                                                                        team-a team-b team-shared
TABLE = [
    Row("submit_job", "POST", "/jobs", alice=(201, 403, 201), bob=(403, 201, 201), body=NEW),
    Row("submit_job", "POST", "/jobs?dryRun=true", alice=(200, 403, 200), bob=(403, 200, 200), body=NEW),
    Row("list_all_jobs", "GET", "/jobs", alice=(200, 200, 200), bob=(200, 200, 200)),
    Row("list_jobs", "GET", "/jobs/PROJECT", alice=(200, 403, 200), bob=(403, 200, 200)),
    Row("get_job", "GET", "/jobs/PROJECT/there", alice=(200, 403, 200), bob=(403, 200, 200)),
    Row("get_job", "GET", "/jobs/PROJECT/gone", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("delete_job", "DELETE", "/jobs/PROJECT/there", alice=(200, 403, 200), bob=(403, 200, 200)),
    Row("delete_job", "DELETE", "/jobs/PROJECT/gone", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("job_logs", "GET", "/jobs/PROJECT/gone/logs", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("job_logs", "GET", "/jobs/PROJECT/there/logs?index=0", alice=(400, 403, 400), bob=(403, 400, 400)),
    Row("job_events", "GET", "/jobs/PROJECT/there/events", alice=(200, 403, 200), bob=(403, 200, 200)),
    Row("job_events", "GET", "/jobs/PROJECT/gone/events", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("job_diagnosis", "GET", "/jobs/PROJECT/there/diagnosis", alice=(200, 403, 200), bob=(403, 200, 200)),
    Row("job_diagnosis", "GET", "/jobs/PROJECT/gone/diagnosis", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("job_indexes", "GET", "/jobs/PROJECT/there/indexes", alice=(200, 403, 200), bob=(403, 200, 200)),
    Row("job_indexes", "GET", "/jobs/PROJECT/gone/indexes", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("suspend_job", "POST", "/jobs/PROJECT/there/suspend", alice=(202, 403, 202), bob=(403, 202, 202)),
    Row("suspend_job", "POST", "/jobs/PROJECT/gone/suspend", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("keep_job", "PUT", "/jobs/PROJECT/there/keep", alice=(200, 403, 200), bob=(403, 200, 200)),
    Row("keep_job", "PUT", "/jobs/PROJECT/gone/keep", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("unkeep_job", "DELETE", "/jobs/PROJECT/there/keep", alice=(200, 403, 200), bob=(403, 200, 200)),
    Row("unkeep_job", "DELETE", "/jobs/PROJECT/gone/keep", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("resume_job", "POST", "/jobs/PROJECT/there/resume", alice=(202, 403, 202), bob=(403, 202, 202)),
    Row("resume_job", "POST", "/jobs/PROJECT/gone/resume", alice=(404, 403, 404), bob=(403, 404, 404)),
    # The request succeeds; the response has the result for each Job.
    Row("delete_jobs", "DELETE", "/jobs", alice=(200, 200, 200), bob=(200, 200, 200), body=TARGETS),
    Row("delete_matching_jobs", "DELETE", "/jobs/PROJECT?label=a=b", alice=(200, 403, 200), bob=(403, 200, 200)),
    Row("clone_job", "POST", "/jobs/PROJECT/there/clone", alice=(201, 403, 201), bob=(403, 201, 201), body=SAME),
    Row("clone_job", "POST", "/jobs/PROJECT/gone/clone", alice=(404, 403, 404), bob=(403, 404, 404), body=SAME),
    # The Job still runs; test_arrays.py retries a failed one.
    Row("retry_job", "POST", "/jobs/PROJECT/there/retry", alice=(409, 403, 409), bob=(403, 409, 409)),
    Row("retry_job", "POST", "/jobs/PROJECT/gone/retry", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("get_me", "GET", "/me", alice=(200, 200, 200), bob=(200, 200, 200)),
    Row("list_projects", "GET", "/projects", alice=(200, 200, 200), bob=(200, 200, 200)),
    Row("get_project", "GET", "/projects/PROJECT", alice=(200, 403, 200), bob=(403, 200, 200)),
]
OF_A_PROJECT = [row for row in TABLE if "PROJECT" in row.path or row.body == NEW]
PROJECTS = ("team-a", "team-b", "team-shared")
MAY_USE = {"alice": ["team-a", "team-shared"], "bob": ["team-b", "team-shared"]}
WITHOUT_TOKEN = {"docs", "docs_asset", "health", "openapi", "sign_in"}


class Case(NamedTuple):
    """One cell of the table."""

    row: Row
    caller: str
    project: str
    status: int


CASES = [
    pytest.param(
        Case(row, caller, project, getattr(row, caller)[column]), id=f"{caller} {row.method} {row.path} {project}"
    )
    for row in TABLE
    for caller in MAY_USE
    for column, project in enumerate(PROJECTS)
]


@pytest.fixture(scope="module")
def tokens(stack: Stack) -> Iterator[dict[str, Api]]:
    """Return an API client for each caller."""
    with Api(stack, "alice") as alice, Api(stack, "bob") as bob:
        yield {"alice": alice, "bob": bob}


@pytest.fixture
def callers(stack: Stack, tokens: dict[str, Api]) -> dict[str, Api]:
    """Return an API client for each caller, after making sure that each Project has a running Job."""
    for caller, project in (("alice", "team-a"), ("bob", "team-b"), ("bob", "team-shared")):
        if not is_running(stack, project):
            tokens[caller].request("DELETE", f"/jobs/{project}/{EXISTING}")
            created = tokens[caller].submit_until_created(
                project, name=EXISTING, environment={SIMULATE_VARIABLE: "run-forever"}
            )
            assert created.status_code == 201
    return tokens


def is_running(stack: Stack, project: str) -> bool:
    """Return whether the Job of that Project exists, and is neither suspended nor being deleted."""
    found = [job for job in stack.cluster.find(JOB, f"researcher-{project}") if job["metadata"]["name"] == EXISTING]
    return bool(found) and not found[0]["spec"]["suspend"] and "deletionTimestamp" not in found[0]["metadata"]


def send(api: Api, row: Row, project: str) -> httpx.Response:
    """Send the request of *row* for *project*, and return the response."""
    body = None if row.body is None else _with_project(row.body, project)
    return api.request(row.method, row.path.replace("PROJECT", project), json=body)


def _with_project(body: object, project: str) -> object:
    if isinstance(body, list):
        return [_with_project(each, project) for each in body]
    assert isinstance(body, dict)
    return {**body, "project": project}


def jobs_of(stack: Stack, project: str) -> dict[str, str]:
    """Return the uid by name of the Jobs in *project*."""
    found = stack.cluster.find(JOB, f"researcher-{project}")
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in found}


class TestTable:
    """Every operation by every caller in every Project."""

    @pytest.mark.parametrize("case", CASES)
    def test_status_is_that_of_the_table(self, stack: Stack, callers: dict[str, Api], case: Case) -> None:
        """The status is that of the table; without access to the Project, its Jobs do not change."""
        before = jobs_of(stack, case.project)

        response = send(callers[case.caller], case.row, case.project)

        assert response.status_code == case.status
        if case.project not in MAY_USE[case.caller]:
            assert jobs_of(stack, case.project) == before

    def test_has_every_operation(self) -> None:
        """Every endpoint has its rows here, or is one of those that need no token."""
        routes = {entry.view_name for methods in app.app.routes.values() for entry in methods.values()}

        assert {row.operation for row in TABLE} | WITHOUT_TOKEN == routes

    @pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.method} {row.path}")
    def test_needs_a_token(self, stack: Stack, callers: dict[str, Api], row: Row) -> None:
        """Without a token, with another scheme or with an invalid token: 401, and no change."""
        before = {project: jobs_of(stack, project) for project in PROJECTS}
        headers = [{"Authorization": text} for text in ("", "Basic YWxpY2U6eA==", "Bearer x", "bearer a.b.c")]

        responses = [
            callers["alice"].request(row.method, row.path.replace("PROJECT", "team-a"), headers=each)
            for each in headers
        ]

        assert {response.status_code for response in responses} == {401}
        challenge = 'Bearer realm="researcher"'
        challenges = [challenge] * 2 + [f'{challenge}, error="invalid_token"'] * 2  # RFC 6750: not without a token
        assert [response.headers["x-amzn-Remapped-WWW-Authenticate"] for response in responses] == challenges
        assert {project: jobs_of(stack, project) for project in PROJECTS} == before


class TestWithoutAccess:
    """The responses for Projects to which the caller has no access."""

    @pytest.mark.parametrize("row", OF_A_PROJECT, ids=lambda row: f"{row.method} {row.path}")
    def test_is_like_a_missing_project(self, callers: dict[str, Api], row: Row) -> None:
        """Body and headers are those of a Project that does not exist, except for the request id."""
        foreign, missing = (send(callers["alice"], row, project) for project in ("team-b", "team-zzz"))

        assert _comparable(foreign) == _comparable(missing)

    def test_mixed_list_of_deletions(self, stack: Stack, callers: dict[str, Api]) -> None:
        """In a mixed list, the caller's Job is deleted, and the errors of the other two are the same."""
        targets = [{"project": project, "name": EXISTING} for project in ("team-b", "team-a", "team-zzz")]

        results = callers["alice"].request("DELETE", "/jobs", json=targets).json()["data"]

        assert [each["ok"] for each in results] == [False, True, False]
        assert results[0]["error"] == results[2]["error"]
        assert (EXISTING in jobs_of(stack, "team-b"), EXISTING in jobs_of(stack, "team-a")) == (True, False)

    def test_is_not_listed(self, callers: dict[str, Api]) -> None:
        """GET /projects returns the Projects that the caller may use, and no others."""
        for caller, api in callers.items():
            assert [each["name"] for each in api.request("GET", "/projects").json()["data"]] == MAY_USE[caller]


class TestDeletion:
    """DELETE of a running Job."""

    def test_removes_its_pods(self, stack: Stack, callers: dict[str, Api]) -> None:
        """The pods of a deleted Job are deleted, so its GPUs are free."""
        uid = jobs_of(stack, "team-a")[EXISTING]

        callers["alice"].request("DELETE", f"/jobs/team-a/{EXISTING}")

        eventually(lambda: _pods_of(stack, uid), lambda pods: not pods)


def _pods_of(stack: Stack, uid: str) -> list[dict[str, Any]]:
    pods = stack.cluster.find(POD, "researcher-team-a")
    return [pod for pod in pods if pod["metadata"]["ownerReferences"][0]["uid"] == uid]


def _comparable(response: httpx.Response) -> tuple[int, dict[str, object], dict[str, str]]:
    body = response.json()
    body.pop("instance")
    own = ("date", "requestid", "request-id")
    headers = {name: text for name, text in response.headers.items() if not name.endswith(own)}
    return response.status_code, body, headers


def test_every_path_has_the_base_path() -> None:
    """All paths except that of the documentation page begin with the base path of the OpenAPI document."""
    outside = {path for path in app.app.routes if not path.startswith(BASE)}

    assert outside == {"/researcher/api/docs", "/researcher/api/docs/{asset}"}
