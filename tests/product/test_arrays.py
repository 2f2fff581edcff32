"""Indexed Jobs: what became of each index, and the failed ones once more."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.kinds import JOB, POD
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.api import Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack

ARRAY: dict[str, Any] = {"indexed": True, "completions": 4, "parallelism": 4, "backoffLimitPerIndex": 0}
BAD: dict[str, Any] = {**ARRAY, "environment": {SIMULATE_VARIABLE: "exit-3@1,3"}}
"""Its indexes 1 and 3 fail, in a retry as well."""
AT_ONCE = 64


def ended(api: Api, name: str, project: str = "team-a") -> dict[str, Any]:
    """The Job as get_job shows it, once it has finished."""

    def look() -> dict[str, Any]:
        view: dict[str, Any] = api.ask("GET", f"/jobs/{project}/{name}").raise_for_status().json()["data"][0]
        return view

    return eventually(look, lambda view: view["finishedAt"] is not None)


def stored(stack: Stack, name: str) -> dict[str, Any]:
    """The Job as the cluster has it."""
    return next(job for job in stack.cluster.find(JOB, "researcher-team-a") if job["metadata"]["name"] == name)


def names(stack: Stack) -> list[str]:
    """The names of the Jobs in team-a."""
    return [job["metadata"]["name"] for job in stack.cluster.find(JOB, "researcher-team-a")]


def variables(job: dict[str, Any]) -> dict[str, str]:
    """The environment of the Job's pods."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one.get("value", "") for one in container["env"]}


@pytest.fixture
def name(api: Api) -> Iterator[str]:
    """The name of a Job of the test's own."""
    name = f"array-{secrets.token_hex(4)}"
    yield name
    api.ask("DELETE", f"/jobs/team-a/{name}")


class TestIndexes:
    """What a Job tells of its indexes."""

    def test_each_has_its_end(self, api: Api, name: str) -> None:
        """Two fail, the others complete all the same."""
        api.submit(name=name, **BAD)

        view = ended(api, name)

        assert (view["status"], view["completedIndexes"], view["failedIndexes"]) == ("Failed", "0,2", "1,3")
        assert (view["pods"]["succeeded"], view["pods"]["failed"]) == (2, 2)

    def test_more_failures_than_allowed_end_the_job(self, api: Api, name: str) -> None:
        """The rest is not waited for."""
        api.submit(name=name, **{**ARRAY, "maxFailedIndexes": 0, "environment": {SIMULATE_VARIABLE: "exit-3"}})

        assert ended(api, name)["status"] == "Failed"

    def test_other_jobs_have_none(self, api: Api, name: str) -> None:
        """Null, where pods have no numbers."""
        view = api.submit(name=name).json()

        assert (view["completedIndexes"], view["failedIndexes"]) == (None, None)


class TestRetry:
    """`POST /jobs/{project}/{name}/retry`."""

    def test_runs_the_failed_indexes_alone(self, stack: Stack, api: Api, name: str) -> None:
        """As a new Job, whose environment says which they are."""
        api.submit(name=name, labels={"sweep": "7"}, **BAD)
        ended(api, name)

        answer = api.ask("POST", f"/jobs/team-a/{name}/retry")

        view = answer.json()
        assert answer.status_code == 201
        assert answer.headers["Location"] == f"/researcher/api/v1/jobs/team-a/{view['name']}"
        assert view["labels"] == {"sweep": "7"}
        job = stored(stack, view["name"])
        assert (job["spec"]["completions"], job["spec"]["completionMode"]) == (2, "Indexed")
        assert variables(job)["RESEARCHER_INDEX_MAP"] == "1,3"

    def test_its_pods_work_on_the_indexes_of_the_first_job(self, api: Api, name: str) -> None:
        """And so fail as those did: both do, and a retry of the retry still knows them."""
        api.submit(name=name, **BAD)
        ended(api, name)
        again = api.ask("POST", f"/jobs/team-a/{name}/retry").json()["name"]

        assert ended(api, again)["failedIndexes"] == "0,1"
        third = api.ask("POST", f"/jobs/team-a/{again}/retry").json()["name"]
        assert ended(api, third)["failedIndexes"] == "0,1"

    def test_once_mended_it_succeeds(self, api: Api, name: str) -> None:
        """A clone of the retry keeps the map, and changes what was wrong."""
        api.submit(name=name, **BAD)
        ended(api, name)
        again = api.ask("POST", f"/jobs/team-a/{name}/retry").json()["name"]

        mended = api.ask("POST", f"/jobs/team-a/{again}/clone", json={"environment": {SIMULATE_VARIABLE: None}})

        assert ended(api, mended.json()["name"])["completedIndexes"] == "0,1"

    def test_is_made_once(self, stack: Stack, api: Api, name: str) -> None:
        """However often and however many at once ask for it."""
        api.submit(name=name, **BAD)
        ended(api, name)
        before = names(stack)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda _: _retried(api, name), range(AT_ONCE)))

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len(names(stack)) == len(before) + 1

    def test_is_one_for_the_whole_team(self, stack: Stack, api: Api, name: str) -> None:
        """Who asks after a colleague is answered with the colleague's."""
        api.submit("team-shared", name=name, **BAD)
        ended(api, name, "team-shared")
        path = f"/jobs/team-shared/{name}/retry"
        with Api(stack, "bob") as bob:
            answers = [bob.ask("POST", path), api.ask("POST", path)]

        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json()["id"] == answers[1].json()["id"]
        assert answers[1].headers["Idempotent-Replayed"] == "true"

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
    def test_what_cannot_be_retried(  # noqa: PLR0913, PLR0917 - three of them make the case
        self, stack: Stack, api: Api, name: str, fields: dict[str, Any], waits: bool, code: str
    ) -> None:
        """409 with the reason, and nothing is made."""
        api.submit(name=name, **fields)
        if waits:
            ended(api, name)
        before = names(stack)

        answer = api.ask("POST", f"/jobs/team-a/{name}/retry")

        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert names(stack) == before

    def test_job_of_kubectl(self, stack: Stack, api: Api, name: str) -> None:
        """Nobody knows what was asked."""
        stack.cluster.apply([by_hand({"name": name}, suspend=True)])
        before = names(stack)

        answers = [api.ask("POST", f"/jobs/team-a/{name}/{verb}", json={}) for verb in ("retry", "clone")]

        assert [(one.status_code, one.json()["code"]) for one in answers] == [(409, "submission_unknown")] * 2
        assert names(stack) == before

    def test_other_teams_job(self, stack: Stack, api: Api, name: str) -> None:
        """It is neither read nor run."""
        api.submit(name=name, **BAD)
        ended(api, name)
        before = names(stack)
        with Api(stack, "bob") as bob:
            answer = bob.ask("POST", f"/jobs/team-a/{name}/retry")

        assert answer.status_code == 403
        assert names(stack) == before


class TestRules:
    """The field `retry`."""

    def test_other_exit_codes_end_the_job_at_once(self, api: Api, name: str) -> None:
        """Six retries are left, and none is made."""
        api.submit(name=name, retry={"exitCodes": [42]}, environment={SIMULATE_VARIABLE: "exit-3"})

        view = ended(api, name)

        assert (view["status"], view["pods"]["failed"]) == ("Failed", 1)

    def test_listed_ones_are_tried_again(self, stack: Stack, api: Api, name: str) -> None:
        """Another pod comes after the failed one."""
        api.submit(name=name, retry={"exitCodes": [42]}, environment={SIMULATE_VARIABLE: "exit-42"})

        eventually(lambda: pods_of(stack, name), lambda pods: len(pods) == 2)

    def test_disruptions_are_not_counted(self, stack: Stack, api: Api, name: str) -> None:
        """No failure at all is allowed, and the evicted pod is replaced all the same."""
        evicted = {SIMULATE_VARIABLE: "Evicted"}
        api.submit(name=name, backoffLimit=0, retry={"ignoreDisruptions": True}, environment=evicted)

        eventually(lambda: pods_of(stack, name), lambda pods: len(pods) == 2)
        assert api.ask("GET", f"/jobs/team-a/{name}").json()["data"][0]["finishedAt"] is None


def pods_of(stack: Stack, job: str) -> list[dict[str, Any]]:
    """The pods of *job*."""
    pods = stack.cluster.find(POD, "researcher-team-a")
    return [pod for pod in pods if pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == job]


def _retried(api: Api, name: str) -> Any:  # noqa: ANN401 - an answer
    while (answer := api.ask("POST", f"/jobs/team-a/{name}/retry")).status_code in (503, 504):
        pass
    return answer
