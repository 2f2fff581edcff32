"""Who may do what: a table by hand of callers, Projects and operations, and what everybody else sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import app
from chalicelib.runtime.operation import BASE
from infra.localcluster.kinds import JOB, POD
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.support.api import IMAGE, Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from infra.local.local_stack import Stack

JOB_THERE = "there"


class Row(NamedTuple):
    """An operation on a Job of a Project, and the status each of two callers gets in each of three Projects."""

    operation: str
    method: str
    path: str
    alice: tuple[int, int, int]
    bob: tuple[int, int, int]
    body: object = None


NEW = {"project": "PROJECT", "image": IMAGE}
SAME = {"project": "PROJECT"}
TARGETS = [{"project": "PROJECT", "name": JOB_THERE}]

#                                                                        team-a team-b team-shared
TABLE = [
    Row("submit_job", "POST", "/jobs", alice=(201, 403, 201), bob=(403, 201, 201), body=NEW),
    Row("submit_job", "POST", "/jobs?dryRun=true", alice=(200, 403, 200), bob=(403, 200, 200), body=NEW),
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
    Row("suspend_job", "POST", "/jobs/PROJECT/there/suspend", alice=(202, 403, 202), bob=(403, 202, 202)),
    Row("suspend_job", "POST", "/jobs/PROJECT/gone/suspend", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("keep_job", "PUT", "/jobs/PROJECT/there/keep", alice=(200, 403, 200), bob=(403, 200, 200)),
    Row("keep_job", "PUT", "/jobs/PROJECT/gone/keep", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("unkeep_job", "DELETE", "/jobs/PROJECT/there/keep", alice=(200, 403, 200), bob=(403, 200, 200)),
    Row("unkeep_job", "DELETE", "/jobs/PROJECT/gone/keep", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("resume_job", "POST", "/jobs/PROJECT/there/resume", alice=(202, 403, 202), bob=(403, 202, 202)),
    Row("resume_job", "POST", "/jobs/PROJECT/gone/resume", alice=(404, 403, 404), bob=(403, 404, 404)),
    # The list itself is answered; what became of each Job stands in it.
    Row("delete_jobs", "DELETE", "/jobs", alice=(200, 200, 200), bob=(200, 200, 200), body=TARGETS),
    Row("clone_job", "POST", "/jobs/PROJECT/there/clone", alice=(201, 403, 201), bob=(403, 201, 201), body=SAME),
    Row("clone_job", "POST", "/jobs/PROJECT/gone/clone", alice=(404, 403, 404), bob=(403, 404, 404), body=SAME),
    # It still runs; test_arrays.py has one that failed.
    Row("retry_job", "POST", "/jobs/PROJECT/there/retry", alice=(409, 403, 409), bob=(403, 409, 409)),
    Row("retry_job", "POST", "/jobs/PROJECT/gone/retry", alice=(404, 403, 404), bob=(403, 404, 404)),
    Row("list_projects", "GET", "/projects", alice=(200, 200, 200), bob=(200, 200, 200)),
    Row("get_project", "GET", "/projects/PROJECT", alice=(200, 403, 200), bob=(403, 200, 200)),
]
OF_A_PROJECT = [row for row in TABLE if "PROJECT" in row.path or row.body == NEW]
PROJECTS = ("team-a", "team-b", "team-shared")
MAY_USE = {"alice": ["team-a", "team-shared"], "bob": ["team-b", "team-shared"]}
OPEN_TO_ALL = {"docs", "docs_asset", "health", "openapi"}


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
    """Both callers."""
    with Api(stack, "alice") as alice, Api(stack, "bob") as bob:
        yield {"alice": alice, "bob": bob}


@pytest.fixture
def callers(stack: Stack, tokens: dict[str, Api]) -> dict[str, Api]:
    """Both callers, and in each Project one Job that is there and runs: a new one where a test took it away."""
    for caller, project in (("alice", "team-a"), ("bob", "team-b"), ("bob", "team-shared")):
        if not runs(stack, project):
            tokens[caller].ask("DELETE", f"/jobs/{project}/{JOB_THERE}")
            made = tokens[caller].submit_until_made(
                project, name=JOB_THERE, environment={SIMULATE_VARIABLE: "run-forever"}
            )
            assert made.status_code == 201
    return tokens


def runs(stack: Stack, project: str) -> bool:
    """Whether the Job of that Project is there, and may run."""
    found = [job for job in stack.cluster.find(JOB, f"researcher-{project}") if job["metadata"]["name"] == JOB_THERE]
    return bool(found) and not found[0]["spec"]["suspend"] and "deletionTimestamp" not in found[0]["metadata"]


def asked(api: Api, row: Row, project: str) -> httpx.Response:
    """The answer to *row* about *project*."""
    body = None if row.body is None else _about(row.body, project)
    return api.ask(row.method, row.path.replace("PROJECT", project), json=body)


def _about(body: object, project: str) -> object:
    if isinstance(body, list):
        return [_about(one, project) for one in body]
    assert isinstance(body, dict)
    return {**body, "project": project}


def jobs_of(stack: Stack, project: str) -> dict[str, str]:
    """Uid by name of the Jobs in *project*."""
    found = stack.cluster.find(JOB, f"researcher-{project}")
    return {one["metadata"]["name"]: one["metadata"]["uid"] for one in found}


class TestTable:
    """Every operation by every caller in every Project."""

    @pytest.mark.parametrize("case", CASES)
    def test_answers_as_the_table_says(self, stack: Stack, callers: dict[str, Api], case: Case) -> None:
        """The status is the table's; where the Project is foreign, its Jobs stay as they were."""
        before = jobs_of(stack, case.project)

        answer = asked(callers[case.caller], case.row, case.project)

        assert answer.status_code == case.status
        if case.project not in MAY_USE[case.caller]:
            assert jobs_of(stack, case.project) == before

    def test_has_every_operation(self) -> None:
        """A new endpoint needs its rows here, or its name among those that are open to all."""
        routes = {entry.view_name for methods in app.app.routes.values() for entry in methods.values()}

        assert {row.operation for row in TABLE} | OPEN_TO_ALL == routes

    @pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.method} {row.path}")
    def test_needs_a_token(self, stack: Stack, callers: dict[str, Api], row: Row) -> None:
        """Without a token, with somebody else's scheme or with nonsense: 401 and nothing done."""
        before = {project: jobs_of(stack, project) for project in PROJECTS}
        headers = [{"Authorization": text} for text in ("", "Basic YWxpY2U6eA==", "Bearer x", "bearer a.b.c")]

        answers = [
            callers["alice"].ask(row.method, row.path.replace("PROJECT", "team-a"), headers=one) for one in headers
        ]

        assert {answer.status_code for answer in answers} == {401}
        assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'Bearer realm="researcher"'}
        assert {project: jobs_of(stack, project) for project in PROJECTS} == before


class TestForeignProjects:
    """What a caller learns about Projects of others: nothing."""

    @pytest.mark.parametrize("row", OF_A_PROJECT, ids=lambda row: f"{row.method} {row.path}")
    def test_answer_as_missing_ones_do(self, callers: dict[str, Api], row: Row) -> None:
        """The bytes and the headers are those of a Project that does not exist, but for the request's id."""
        foreign, missing = (asked(callers["alice"], row, project) for project in ("team-b", "team-zzz"))

        assert _told(foreign) == _told(missing)

    def test_stay_untouched_by_a_list_of_deletions(self, stack: Stack, callers: dict[str, Api]) -> None:
        """Of a mixed list, the caller's own Job goes, and the foreign one and the missing one say the same."""
        targets = [{"project": project, "name": JOB_THERE} for project in ("team-b", "team-a", "team-zzz")]

        done = callers["alice"].ask("DELETE", "/jobs", json=targets).json()["data"]

        assert [one["ok"] for one in done] == [False, True, False]
        assert done[0]["error"] == done[2]["error"]
        assert (JOB_THERE in jobs_of(stack, "team-b"), JOB_THERE in jobs_of(stack, "team-a")) == (True, False)

    def test_are_not_listed(self, callers: dict[str, Api]) -> None:
        """GET /projects shows those that the caller may use, and no others."""
        for caller, api in callers.items():
            assert [one["name"] for one in api.ask("GET", "/projects").json()["data"]] == MAY_USE[caller]


class TestDeletion:
    """DELETE of a running Job."""

    def test_removes_its_pods(self, stack: Stack, callers: dict[str, Api]) -> None:
        """No pod of it stays, so its GPUs are free."""
        uid = jobs_of(stack, "team-a")[JOB_THERE]

        callers["alice"].ask("DELETE", f"/jobs/team-a/{JOB_THERE}")

        eventually(lambda: _pods_of(stack, uid), lambda pods: not pods)


def _pods_of(stack: Stack, uid: str) -> list[dict[str, Any]]:
    pods = stack.cluster.find(POD, "researcher-team-a")
    return [pod for pod in pods if pod["metadata"]["ownerReferences"][0]["uid"] == uid]


def _told(answer: httpx.Response) -> tuple[int, dict[str, object], dict[str, str]]:
    body = answer.json()
    body.pop("instance")
    own = ("date", "requestid", "request-id")
    headers = {name: text for name, text in answer.headers.items() if not name.endswith(own)}
    return answer.status_code, body, headers


def test_every_path_stands_below_the_base() -> None:
    """Only the documentation page is outside of what the OpenAPI document describes."""
    outside = {path for path in app.app.routes if not path.startswith(BASE)}

    assert outside == {"/researcher/api/docs", "/researcher/api/docs/{asset}"}
