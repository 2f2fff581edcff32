"""Indexed Jobs: the result of each index, and the retry of failed indexes."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.kinds import JOB, POD
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.api import Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack

ARRAY: dict[str, Any] = {"indexed": True, "completions": 4, "parallelism": 4, "backoffLimitPerIndex": 0}
FAILING: dict[str, Any] = {**ARRAY, "environment": {SIMULATE_VARIABLE: "exit-3@1,3"}}
"""Its indexes 1 and 3 fail, and they fail again in a retry."""
CONCURRENT = 64


def await_finished(api: Api, name: str, project: str = "team-a") -> dict[str, Any]:
    """Wait until the Job has finished, and return it."""

    def get() -> dict[str, Any]:
        view: dict[str, Any] = api.request("GET", f"/jobs/{project}/{name}").raise_for_status().json()["data"][0]
        return view

    return eventually(get, lambda view: view["finishedAt"] is not None)


def stored_job(stack: Stack, name: str) -> dict[str, Any]:
    """Return the Job as the cluster stores it."""
    return next(job for job in stack.cluster.find(JOB, "researcher-team-a") if job["metadata"]["name"] == name)


def names(stack: Stack) -> list[str]:
    """Return the names of the Jobs in team-a."""
    return [job["metadata"]["name"] for job in stack.cluster.find(JOB, "researcher-team-a")]


def variables(job: dict[str, Any]) -> dict[str, str]:
    """Return the environment of the Job's pods."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value", "") for each in container["env"]}


@pytest.fixture
def name(api: Api) -> Iterator[str]:
    """Return a unique Job name, and delete the Job afterwards."""
    name = f"array-{secrets.token_hex(4)}"
    yield name
    api.request("DELETE", f"/jobs/team-a/{name}")


class TestIndexes:
    """The indexes in the view of a Job."""

    def test_result_of_each_index(self, api: Api, name: str) -> None:
        """Two failed indexes do not stop the others from completing."""
        api.submit(name=name, **FAILING)

        view = await_finished(api, name)

        assert (view["status"], view["completedIndexes"], view["failedIndexes"]) == ("Failed", "0,2", "1,3")
        assert (view["pods"]["succeeded"], view["pods"]["failed"]) == (2, 2)

    @pytest.mark.parametrize("limits", [{}, {"backoffLimitPerIndex": None, "backoffLimit": 1, "parallelism": 2}])
    def test_ends_of_the_indexes(self, api: Api, name: str, limits: dict[str, Any]) -> None:
        """The failed indexes are listed with their exit codes and pods, with and without a limit for each index."""
        fields = {key: value for key, value in {**FAILING, **limits}.items() if value is not None}
        api.submit(name=name, **fields)
        job = await_finished(api, name)

        page = api.request("GET", f"/jobs/team-a/{name}/indexes?status=failed&limit=1").raise_for_status().json()

        (first,) = page["data"]
        assert (first["index"], first["exitCode"], first["reason"]) == (1, 3, "Error")
        assert first["pod"].startswith(f"{name}-1-")
        assert first["finishedAt"] >= first["startedAt"]
        assert (job["exitCode"], job["failedPod"].startswith(f"{name}-")) == (3, True)

    def test_more_failures_than_allowed_end_the_job(self, api: Api, name: str) -> None:
        """A Job with more failed indexes than `maxFailedIndexes` fails before the other indexes run."""
        api.submit(name=name, **{**ARRAY, "maxFailedIndexes": 0, "environment": {SIMULATE_VARIABLE: "exit-3"}})

        assert await_finished(api, name)["status"] == "Failed"

    def test_jobs_that_are_not_indexed(self, api: Api, name: str) -> None:
        """The index fields of a Job that is not Indexed are null."""
        view = api.submit(name=name).json()

        assert (view["completedIndexes"], view["failedIndexes"]) == (None, None)


class TestRetry:
    """`POST /jobs/{project}/{name}/retry`."""

    def test_runs_only_the_failed_indexes(self, stack: Stack, api: Api, name: str) -> None:
        """A retry is a new Job, and its environment maps its indexes to the failed ones."""
        api.submit(name=name, labels={"sweep": "7"}, **FAILING)
        await_finished(api, name)

        response = api.request("POST", f"/jobs/team-a/{name}/retry")

        view = response.json()
        assert response.status_code == 201
        assert response.headers["Location"] == f"/researcher/api/v1/jobs/team-a/{view['name']}"
        assert view["labels"] == {"sweep": "7"}
        job = stored_job(stack, view["name"])
        assert (job["spec"]["completions"], job["spec"]["completionMode"]) == (2, "Indexed")
        assert variables(job)["RESEARCHER_INDEX_MAP"] == "1,3"

    def test_pods_get_the_indexes_of_the_first_job(self, api: Api, name: str) -> None:
        """The pods of a retry, and of a retry of the retry, run the failed indexes of the first Job."""
        api.submit(name=name, **FAILING)
        await_finished(api, name)
        retry = api.request("POST", f"/jobs/team-a/{name}/retry").json()["name"]

        assert await_finished(api, retry)["failedIndexes"] == "0,1"
        third = api.request("POST", f"/jobs/team-a/{retry}/retry").json()["name"]
        assert await_finished(api, third)["failedIndexes"] == "0,1"

    def test_clone_of_a_retry_keeps_the_index_map(self, api: Api, name: str) -> None:
        """A clone of a retry that corrects the cause of the failure completes the failed indexes."""
        api.submit(name=name, **FAILING)
        await_finished(api, name)
        retry = api.request("POST", f"/jobs/team-a/{name}/retry").json()["name"]

        corrected = api.request("POST", f"/jobs/team-a/{retry}/clone", json={"environment": {SIMULATE_VARIABLE: None}})

        assert await_finished(api, corrected.json()["name"])["completedIndexes"] == "0,1"

    def test_concurrent_retries_create_one_job(self, stack: Stack, api: Api, name: str) -> None:
        """Concurrent and repeated retries of a Job create one new Job."""
        api.submit(name=name, **FAILING)
        await_finished(api, name)
        before = names(stack)

        with ThreadPoolExecutor(CONCURRENT) as pool:
            responses = list(pool.map(lambda _: _retry(api, name), range(CONCURRENT)))

        assert {response.status_code for response in responses} == {201}
        assert len({response.json()["id"] for response in responses}) == 1
        assert len(names(stack)) == len(before) + 1

    def test_callers_share_a_retry(self, stack: Stack, api: Api, name: str) -> None:
        """A second caller who retries the same Job gets the new Job of the first one, as a replay."""
        api.submit("team-shared", name=name, **FAILING)
        await_finished(api, name, "team-shared")
        path = f"/jobs/team-shared/{name}/retry"
        with Api(stack, "bob") as bob:
            responses = [bob.request("POST", path), api.request("POST", path)]

        assert [response.status_code for response in responses] == [201, 201]
        assert responses[0].json()["id"] == responses[1].json()["id"]
        assert responses[1].headers["Idempotent-Replayed"] == "true"

    @pytest.mark.parametrize(
        ("fields", "waits", "code"),
        [
            pytest.param({**ARRAY, "environment": {SIMULATE_VARIABLE: "run-forever"}}, False, "job_not_finished"),
            pytest.param(ARRAY, True, "job_not_retriable", id="nothing failed"),
            pytest.param(
                {"backoffLimit": 0, "environment": {SIMULATE_VARIABLE: "exit-3"}}, True, "job_not_retriable", id="plain"
            ),
        ],
    )
    def test_jobs_that_cannot_be_retried(  # noqa: PLR0913, PLR0917 - three of them are the case
        self, stack: Stack, api: Api, name: str, fields: dict[str, Any], waits: bool, code: str
    ) -> None:
        """A Job that is not finished, or has no failed index, cannot be retried: 409, and no Job is created."""
        api.submit(name=name, **fields)
        if waits:
            await_finished(api, name)
        before = names(stack)

        response = api.request("POST", f"/jobs/team-a/{name}/retry")

        assert (response.status_code, response.json()["code"]) == (409, code)
        assert names(stack) == before

    def test_job_of_kubectl_has_no_submission(self, stack: Stack, api: Api, name: str) -> None:
        """A Job without a stored submission can be neither retried nor cloned: 409."""
        stack.cluster.apply([by_hand({"name": name}, suspend=True)])
        before = names(stack)

        responses = [api.request("POST", f"/jobs/team-a/{name}/{verb}", json={}) for verb in ("retry", "clone")]

        assert [(each.status_code, each.json()["code"]) for each in responses] == [(409, "submission_unknown")] * 2
        assert names(stack) == before

    def test_other_teams_job(self, stack: Stack, api: Api, name: str) -> None:
        """A caller without access to the Project cannot retry its Jobs: 403, and no Job is created."""
        api.submit(name=name, **FAILING)
        await_finished(api, name)
        before = names(stack)
        with Api(stack, "bob") as bob:
            response = bob.request("POST", f"/jobs/team-a/{name}/retry")

        assert response.status_code == 403
        assert names(stack) == before


class TestRetryPolicy:
    """The field `retry`."""

    def test_unlisted_exit_code_fails_the_job(self, api: Api, name: str) -> None:
        """An exit code that is not listed fails the Job at once, without using its backoff limit."""
        api.submit(name=name, retry={"exitCodes": [42]}, environment={SIMULATE_VARIABLE: "exit-3"})

        view = await_finished(api, name)

        assert (view["status"], view["pods"]["failed"]) == ("Failed", 1)

    def test_listed_exit_code_is_retried(self, stack: Stack, api: Api, name: str) -> None:
        """A pod that fails with a listed exit code is replaced."""
        api.submit(name=name, retry={"exitCodes": [42]}, environment={SIMULATE_VARIABLE: "exit-42"})

        eventually(lambda: pods_of(stack, name), lambda pods: len(pods) == 2)

    def test_disruptions_are_not_counted(self, stack: Stack, api: Api, name: str) -> None:
        """With `ignoreDisruptions`, an evicted pod is replaced even with a backoff limit of 0."""
        evicted = {SIMULATE_VARIABLE: "Evicted"}
        api.submit(name=name, backoffLimit=0, retry={"ignoreDisruptions": True}, environment=evicted)

        eventually(lambda: pods_of(stack, name), lambda pods: len(pods) == 2)
        assert api.request("GET", f"/jobs/team-a/{name}").json()["data"][0]["finishedAt"] is None


def pods_of(stack: Stack, job: str) -> list[dict[str, Any]]:
    """Return the pods of *job*."""
    pods = stack.cluster.find(POD, "researcher-team-a")
    return [pod for pod in pods if pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == job]


def _retry(api: Api, name: str) -> Any:  # noqa: ANN401 - a response
    while (response := api.request("POST", f"/jobs/team-a/{name}/retry")).status_code in (503, 504):
        pass
    return response
