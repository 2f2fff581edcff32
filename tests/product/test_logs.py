"""The log of a Job on the cluster: which pod it comes from, its limits, and the errors when there is no log."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.simulated_log import LOG_VARIABLE
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.api import Api

RUN_FOREVER: dict[str, Any] = {"environment": {SIMULATE_VARIABLE: "run-forever"}}


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """Return a unique Job name, and delete the Job afterwards."""
    name = f"log-{secrets.token_hex(3)}"
    yield name
    api.request("DELETE", f"/jobs/team-a/{name}")


def simulate(simulated: str, **fields: object) -> dict[str, Any]:
    """Return the fields of a Job whose pod behaves as *simulated*."""
    return {"environment": {SIMULATE_VARIABLE: simulated}, **fields}


class TestLogs:
    """GET .../logs."""

    def test_of_a_running_pod(self, api: Api, job: str) -> None:
        """The response is the text of the running pod's log, and a header names the pod."""
        api.submit(name=job, environment={SIMULATE_VARIABLE: "run-forever", LOG_VARIABLE: "epoch 1\nepoch 2"})

        response = _log(api, job)

        assert response.text == "epoch 1\nepoch 2\n"
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.headers["X-Pod-Name"].startswith(f"{job}-")
        assert response.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize(
        ("query", "text"),
        [
            ("tail=1", "epoch 2\n"),
            ("limitBytes=9", "epoch 2\n"),
            ("container=main&sinceSeconds=600", "epoch 1\nepoch 2\n"),
        ],
    )
    def test_limits(self, api: Api, job: str, query: str, text: str) -> None:
        """The parameters limit the log to the last lines, the last bytes, a container and a time."""
        api.submit(name=job, environment={SIMULATE_VARIABLE: "run-forever", LOG_VARIABLE: "epoch 1\nepoch 2"})

        assert _log(api, job, query).text == text

    def test_of_an_index(self, api: Api, job: str) -> None:
        """`index` selects the pod of that index."""
        api.submit(name=job, indexed=True, completions=2, parallelism=2, **RUN_FOREVER)

        pods = [_log(api, job, f"index={index}").headers["X-Pod-Name"] for index in (0, 1)]

        assert [pod.removeprefix(f"{job}-")[:2] for pod in pods] == ["0-", "1-"]

    def test_of_the_previous_attempt(self, api: Api, job: str) -> None:
        """`previous` returns the log of the first of two failed pods."""
        api.submit(name=job, **simulate("exit-1", backoffLimit=1))
        eventually(
            lambda: api.request("GET", f"/jobs/team-a/{job}").json()["data"][0]["status"],
            lambda status: status == "Failed",
        )

        last, before = _log(api, job), _log(api, job, "previous=true")

        assert last.headers["X-Pod-Name"] != before.headers["X-Pod-Name"]
        assert before.text.startswith(before.headers["X-Pod-Name"])

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            (simulate("image-pull"), "ImagePullBackOff: Back-off pulling image"),
            ({"gpu": 9}, "Unschedulable: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu"),
        ],
        ids=["image", "gpus"],
    )
    def test_of_a_job_that_has_not_started(self, api: Api, job: str, fields: dict[str, Any], reason: str) -> None:
        """A Job that has not started has no log: 409, with the reason."""
        api.submit(name=job, **fields)

        response = eventually(
            lambda: api.request("GET", f"/jobs/team-a/{job}/logs"), lambda response: reason in response.json()["detail"]
        )

        assert (response.status_code, response.json()["code"]) == (409, "job_not_started")

    def test_quota_is_used_up(self, api: Api, job: str) -> None:
        """A Job whose pods exceed the quota has no log: 409."""
        api.create_pending_job(f"{job}-first")
        api.submit(name=job, gpu=8)

        response = eventually(
            lambda: api.request("GET", f"/jobs/team-a/{job}/logs"), lambda response: "Pods" in response.text
        )

        api.request("DELETE", f"/jobs/team-a/{job}-first")
        assert (response.status_code, response.json()["code"]) == (409, "job_not_started")
        assert "PodsNotCreated: The cluster has not created the Job's pods" in response.json()["detail"]

    def test_of_a_job_without_pods(self, api: Api, job: str) -> None:
        """A Job whose pods were deleted has no log: 410, with a hint to other sources."""
        api.submit(name=job, **simulate("run-forever", maxRuntimeSeconds=1))

        response = eventually(
            lambda: api.request("GET", f"/jobs/team-a/{job}/logs"), lambda response: response.status_code == 410
        )

        assert response.json()["code"] == "log_gone"
        assert "Get the Job" in response.json()["detail"]

    @pytest.mark.parametrize(
        ("query", "pointer", "message"),
        [
            ("container=other", "/container", "must be one of main"),
            ("index=0", "/index", "is only valid for Indexed Jobs, and this Job is not Indexed"),
        ],
    )
    def test_unknown_container_and_index(self, api: Api, job: str, query: str, pointer: str, message: str) -> None:
        """An unknown container or index is 400, and the message lists the valid values."""
        api.submit(name=job, **RUN_FOREVER)
        _log(api, job)

        response = api.request("GET", f"/jobs/team-a/{job}/logs?{query}")

        assert (response.status_code, response.json()["errors"]) == (400, [{"pointer": pointer, "message": message}])


def _log(api: Api, job: str, query: str = "") -> httpx.Response:
    """Wait until there is a log, and return the response."""
    return eventually(
        lambda: api.request("GET", f"/jobs/team-a/{job}/logs?{query}"), lambda response: response.status_code != 409
    )
