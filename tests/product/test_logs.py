"""A Job's log on the cluster: of which pod, how much of it, and why there is none."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.log_content import LOG_VARIABLE
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.api import Api

RUNS_ON: dict[str, Any] = {"environment": {SIMULATE_VARIABLE: "run-forever"}}


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """The name of a Job of the test's own."""
    name = f"log-{secrets.token_hex(3)}"
    yield name
    api.ask("DELETE", f"/jobs/team-a/{name}")


def goes(simulated: str, **fields: object) -> dict[str, Any]:
    """The fields of a Job whose pod goes as *simulated*."""
    return {"environment": {SIMULATE_VARIABLE: simulated}, **fields}


class TestLogs:
    """GET .../logs."""

    def test_of_a_pod_that_runs(self, api: Api, job: str) -> None:
        """Text of the pod that the header names."""
        api.submit(name=job, environment={SIMULATE_VARIABLE: "run-forever", LOG_VARIABLE: "epoch 1\nepoch 2"})

        answer = _log(api, job)

        assert answer.text == "epoch 1\nepoch 2\n"
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["X-Pod-Name"].startswith(f"{job}-")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize(
        ("query", "text"),
        [
            ("tail=1", "epoch 2\n"),
            ("limitBytes=9", "epoch 2\n"),
            ("container=main&sinceSeconds=600", "epoch 1\nepoch 2\n"),
        ],
    )
    def test_part_of_it(self, api: Api, job: str, query: str, text: str) -> None:
        """The last lines, and of those the last bytes."""
        api.submit(name=job, environment={SIMULATE_VARIABLE: "run-forever", LOG_VARIABLE: "epoch 1\nepoch 2"})

        assert _log(api, job, query).text == text

    def test_of_an_index(self, api: Api, job: str) -> None:
        """Each pod of an Indexed Job has its own."""
        api.submit(name=job, indexed=True, completions=2, parallelism=2, **RUNS_ON)

        pods = [_log(api, job, f"index={index}").headers["X-Pod-Name"] for index in (0, 1)]

        assert [pod.removeprefix(f"{job}-")[:2] for pod in pods] == ["0-", "1-"]

    def test_of_the_attempt_before(self, api: Api, job: str) -> None:
        """Of two pods that failed the first."""
        api.submit(name=job, **goes("exit-1", backoffLimit=1))
        eventually(
            lambda: api.ask("GET", f"/jobs/team-a/{job}").json()["data"][0]["status"], lambda one: one == "Failed"
        )

        last, before = _log(api, job), _log(api, job, "previous=true")

        assert last.headers["X-Pod-Name"] != before.headers["X-Pod-Name"]
        assert before.text.startswith(before.headers["X-Pod-Name"])

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            (goes("image-pull"), "ImagePullBackOff: Back-off pulling image"),
            ({"gpu": 9}, "Unschedulable: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu"),
        ],
        ids=["image", "gpus"],
    )
    def test_of_a_job_that_has_not_started(self, api: Api, job: str, fields: dict[str, Any], reason: str) -> None:
        """409, with the reason."""
        api.submit(name=job, **fields)

        refused = eventually(
            lambda: api.ask("GET", f"/jobs/team-a/{job}/logs"), lambda answer: reason in answer.json()["detail"]
        )

        assert (refused.status_code, refused.json()["code"]) == (409, "job_not_started")

    def test_of_a_job_that_the_quota_has_no_room_for(self, api: Api, job: str) -> None:
        """409 likewise, as long as another Job has all of it."""
        api.waiting_job(f"{job}-first")
        api.submit(name=job, gpu=8)

        refused = eventually(lambda: api.ask("GET", f"/jobs/team-a/{job}/logs"), lambda answer: "Pods" in answer.text)

        api.ask("DELETE", f"/jobs/team-a/{job}-first")
        assert (refused.status_code, refused.json()["code"]) == (409, "job_not_started")
        assert "PodsNotCreated: The cluster could not create the Job's pods" in refused.json()["detail"]

    def test_of_a_job_whose_pods_are_gone(self, api: Api, job: str) -> None:
        """410, and where else to look."""
        api.submit(name=job, **goes("run-forever", maxRuntimeSeconds=1))

        refused = eventually(
            lambda: api.ask("GET", f"/jobs/team-a/{job}/logs"), lambda answer: answer.status_code == 410
        )

        assert refused.json()["code"] == "log_gone"
        assert "Get the Job" in refused.json()["detail"]

    @pytest.mark.parametrize(
        ("query", "pointer", "message"),
        [
            ("container=other", "/container", "must be one of main"),
            ("index=0", "/index", "is only valid for Indexed Jobs, and this Job is not Indexed"),
        ],
    )
    def test_of_what_there_is_not(self, api: Api, job: str, query: str, pointer: str, message: str) -> None:
        """400, with what there is."""
        api.submit(name=job, **RUNS_ON)
        _log(api, job)

        refused = api.ask("GET", f"/jobs/team-a/{job}/logs?{query}")

        assert (refused.status_code, refused.json()["errors"]) == (400, [{"pointer": pointer, "message": message}])


def _log(api: Api, job: str, query: str = "") -> httpx.Response:
    """The answer with the log, once there is one."""
    return eventually(lambda: api.ask("GET", f"/jobs/team-a/{job}/logs?{query}"), lambda one: one.status_code != 409)
