"""Announcements on a cluster: what a rule of EventBridge gets of Jobs that finish."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.kinds import JOB
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.product.by_hand import by_hand
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.support.api import Api
    from tests.support.scheduled_functions import Scheduled

CANARY = "hunter2-the-canary"
NAMESPACE = "researcher-team-a"
ENDED = ("Succeeded", "Failed")


@pytest.fixture
def name() -> str:
    """A name of the test's own."""
    return f"told-{secrets.token_hex(4)}"


def ended(api: Api, name: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A new Job, once it has ended."""
    api.submit(name=name, **fields).raise_for_status()
    return eventually(lambda: shown(api, name), lambda job: job["status"] in ENDED)


def shown(api: Api, name: str) -> dict[str, Any]:
    """The Job as the API shows it."""
    job: dict[str, Any] = api.ask("GET", f"/jobs/team-a/{name}").raise_for_status().json()["data"][0]
    return job


class TestFinished:
    """A Job that has finished."""

    def test_is_told_of_once(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """With what a message to its owner needs; the next run is silent."""
        job = ended(api, name, gpu=2, environment={"PASSWORD": CANARY}, command=f"train {CANARY}")

        scheduled.announce()
        scheduled.announce()

        (event,) = scheduled.heard(name)
        used = event["detail"].pop("gpuSeconds")
        assert (event["source"], event["detail-type"]) == ("researcher-api", "job.finished")
        assert event["detail"] == {
            "id": job["id"], "project": "team-a", "name": name, "status": "Succeeded", "reason": None, "user": "alice",
            "finishedAt": job["finishedAt"], "cluster": event["detail"]["cluster"],
        }  # fmt: skip
        assert used >= 0
        assert CANARY not in json.dumps(event)

    def test_says_why_it_failed(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """As getting it does, by its pods."""
        ended(api, name, backoffLimit=0, environment={SIMULATE_VARIABLE: "OOMKilled"})

        scheduled.announce()

        (event,) = scheduled.heard(name)
        assert (event["detail"]["status"], event["detail"]["reason"]) == ("Failed", "OOMKilled")

    def test_shows_no_mark(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """The label by which it is not announced again is ours, and changes nothing else."""
        job = ended(api, name)

        scheduled.announce()

        assert shown(api, name) == job

    def test_is_found_among_those_that_run(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """Which are told of later, once."""
        api.submit(name=f"{name}-runs", environment={SIMULATE_VARIABLE: "run-forever"}).raise_for_status()
        ended(api, f"{name}-ended")

        scheduled.announce()

        assert [event["detail"]["name"] for event in scheduled.heard(name)] == [f"{name}-ended"]
        api.ask("DELETE", f"/jobs/team-a/{name}-runs").raise_for_status()

    def test_of_somebody_else_is_left_alone(self, stack: Stack, scheduled: Scheduled, name: str) -> None:
        """A Job that this API did not make is neither told of nor marked."""
        stack.cluster.apply([by_hand({"name": name, "labels": {"team": "a"}})])
        eventually(lambda: finished(stored(stack, name)))
        before = stored(stack, name)["metadata"]["labels"]

        scheduled.announce()

        assert scheduled.heard(name) == []
        assert stored(stack, name)["metadata"]["labels"] == before


class TestRuns:
    """Runs, at once and where one cannot look."""

    def test_two_at_once_tell_of_each_with_one_id(self, api: Api, scheduled: Scheduled, name: str) -> None:
        """Each Job at least once; who gets it twice knows it by its id."""
        ids = {}
        for number in range(12):
            one = f"{name}-{number}"
            ids[one] = api.submit(name=one).raise_for_status().json()["id"]
        for one in ids:
            eventually(lambda one=one: shown(api, one)["status"], lambda status: status in ENDED)  # type: ignore[misc]  # a default binds it

        with ThreadPoolExecutor(2) as both:
            list(both.map(lambda _: scheduled.announce(), range(2)))

        heard = scheduled.heard(name)
        assert {event["detail"]["name"]: event["detail"]["id"] for event in heard} == ids
        # Two runs, each of which sends a request to EventBridge at most twice where the answer is late.
        assert len(heard) <= 2 * 2 * len(ids)
        scheduled.announce()
        assert scheduled.heard(name) == []

    def test_project_that_lets_nobody_in_stops_no_other(
        self, stack: Stack, api: Api, scheduled: Scheduled, name: str
    ) -> None:
        """It is a namespace with a Project's label, and without the janitor's RoleBinding."""
        metadata = {"name": "researcher-closed", "labels": {"researcher.dev/project": "closed"}}
        stack.cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
        ended(api, name)

        told = scheduled.announce()

        assert {"project": "closed", "name": None, "code": "forbidden"} in told["failures"]
        assert len(scheduled.heard(name)) == 1


def finished(job: dict[str, Any]) -> bool:
    """Whether the cluster has written that *job* is complete."""
    conditions = job.get("status", {}).get("conditions", [])
    return any(one["type"] == "Complete" and one["status"] == "True" for one in conditions)


def stored(stack: Stack, name: str) -> dict[str, Any]:
    """The Job of that name as the cluster has it."""
    (found,) = [one for one in stack.cluster.find(JOB, NAMESPACE) if one["metadata"]["name"] == name]
    return found
