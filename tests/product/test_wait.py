"""Waiting for a Job on the cluster: until it runs, until it has ended, until it changes."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    import httpx

    from tests.support.api import Api

RUN_FOREVER = {SIMULATE_VARIABLE: "run-forever"}


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """Return a unique Job name, and delete the Job afterwards."""
    name = f"wait-{secrets.token_hex(4)}"
    yield name
    api.request("DELETE", f"/jobs/team-a/{name}")


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """Return a pool of one thread, for a request that waits."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def get_in_background(
    background: ThreadPoolExecutor, api: Api, name: str, query: str, tag: str = ""
) -> Future[httpx.Response]:
    """Get the Job with *query* in another thread, and return the future response."""
    headers = {"If-None-Match": tag} if tag else {}
    return background.submit(api.request, "GET", f"/jobs/team-a/{name}?{query}", headers=headers)


def status(response: httpx.Response) -> str:
    """Return the Job's status in *response*."""
    return str(response.raise_for_status().json()["data"][0]["status"])


def reason(response: httpx.Response) -> str | None:
    """Return the reason of the Job's status in *response*, if it has one."""
    found: str | None = response.json()["data"][0].get("reason")
    return found


def create_with_missing_image(api: Api, name: str) -> httpx.Response:
    """Create a Job whose image cannot be pulled, and get it; a fast cluster may already report the reason."""
    if api.request("DELETE", f"/jobs/team-a/{name}").status_code != HTTPStatus.NOT_FOUND:
        eventually(
            lambda: api.request("GET", f"/jobs/team-a/{name}").status_code, lambda code: code == HTTPStatus.NOT_FOUND
        )
    api.submit(name=name, gpu=1, environment={SIMULATE_VARIABLE: "image-pull"})
    return api.request("GET", f"/jobs/team-a/{name}")


def await_until(api: Api, name: str, until: str) -> str:
    """Wait for the Job as a script does, which repeats the request until the state is reached; return the status."""
    expected = {"running": {"Running", "Succeeded"}, "finished": {"Succeeded", "Failed"}}[until]
    return eventually(
        lambda: status(api.request("GET", f"/jobs/team-a/{name}?wait=20&until={until}")),
        lambda value: value in expected,
    )


class TestSweep:
    """`until` in a list."""

    def test_finished(self, api: Api, job: str, background: ThreadPoolExecutor) -> None:
        """The request ends when the last Job of the sweep has finished, and not with the first."""
        path = f"/jobs/team-a?label=sweep={job}&until=finished"
        api.submit(name=f"{job}-1", labels={"sweep": job})
        api.submit(name=f"{job}-2", labels={"sweep": job}, environment=RUN_FOREVER)
        api.await_status(f"{job}-1")

        waited = api.request("GET", f"{path}&wait=1").raise_for_status().json()
        last = background.submit(api.request, "GET", f"{path}&wait=25")
        api.request("DELETE", f"/jobs/team-a/{job}-2").raise_for_status()
        rest = last.result().raise_for_status().json()

        assert (len(waited["data"]), waited["unfinished"]) == (2, 1)
        assert ([each["name"] for each in rest["data"]], rest["unfinished"]) == ([f"{job}-1"], 0)


class TestUntil:
    """`until`."""

    def test_running(self, api: Api, job: str, background: ThreadPoolExecutor) -> None:
        """The request returns when the waiting Job gets GPUs and runs."""
        other = f"{job}-first"
        api.submit(name=other, gpu=8, environment=RUN_FOREVER)
        await_until(api, other, "running")
        api.submit(name=job, gpu=8, environment=RUN_FOREVER)
        response = get_in_background(background, api, job, "wait=20&until=running")

        api.request("DELETE", f"/jobs/team-a/{other}")

        assert status(response.result()) == "Running"

    def test_finished(self, api: Api, job: str) -> None:
        """One request, sent before the Job has a pod, returns when it has finished."""
        api.submit(name=job)

        assert status(api.request("GET", f"/jobs/team-a/{job}?wait=20&until=finished")) == "Succeeded"

    @pytest.mark.parametrize("until", ["running", "finished"])
    def test_time_is_over(self, api: Api, job: str, until: str) -> None:
        """After `wait` seconds the response is the Job as it is."""
        api.create_pending_job(job)

        assert status(api.request("GET", f"/jobs/team-a/{job}?wait=1&until={until}")) == "Pending"

    def test_deleted(self, api: Api, job: str, background: ThreadPoolExecutor) -> None:
        """Deleting the Job ends the wait with 404."""
        api.submit(name=job, environment=RUN_FOREVER)
        await_until(api, job, "running")
        response = get_in_background(background, api, job, "wait=20&until=finished")

        api.request("DELETE", f"/jobs/team-a/{job}")

        assert response.result().status_code == 404


class TestChange:
    """`If-None-Match`."""

    def test_unchanged(self, api: Api, job: str) -> None:
        """Without a change the response is 304, with the same ETag and no body."""
        tag = api.create_pending_job(job)

        response = api.request("GET", f"/jobs/team-a/{job}?wait=1", headers={"If-None-Match": tag})

        assert (response.status_code, response.headers["ETag"], response.content) == (304, tag, b"")

    def test_changed(self, api: Api, job: str, background: ThreadPoolExecutor) -> None:
        """After a change the response is 200, with another ETag."""
        tag = api.create_pending_job(job)
        response = get_in_background(background, api, job, "wait=20", tag)

        api.request("POST", f"/jobs/team-a/{job}/suspend")

        # The first change may be another one of the cluster: a scheduling attempt, a count of pods.
        assert response.result().status_code == 200
        assert response.result().headers["ETag"] != tag
        api.await_status(job, "Suspended")

    def test_changed_pod(self, api: Api, job: str, background: ThreadPoolExecutor) -> None:
        """A change of the pod alone ends the wait too: the pods are polled, because the watch is only on the Job."""
        first = eventually(
            lambda: create_with_missing_image(api, job), lambda response: reason(response) != "ImagePullBackOff"
        )

        changed = eventually(
            lambda: get_in_background(background, api, job, "wait=20", first.headers["ETag"]).result(),
            lambda response: response.status_code == 200 and reason(response) == "ImagePullBackOff",
        )

        assert changed.headers["ETag"] != first.headers["ETag"]


class TestWithoutAccess:
    """Projects to which the caller has no access."""

    def test_does_not_wait(self, api: Api) -> None:
        """Without access to the Project the request fails immediately."""
        responses = [api.request("GET", f"/jobs/team-b/any{query}") for query in ("", "?wait=20&until=finished")]

        assert responses[0].json()["code"] == "forbidden"
        assert responses[0].json() | {"instance": None} == responses[1].json() | {"instance": None}
