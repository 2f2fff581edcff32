"""Waiting for a Job on the cluster: until it runs, until it has ended, until anything changes."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    import httpx

    from tests.support.api import Api

RUNS_ON = {SIMULATE_VARIABLE: "run-forever"}


@pytest.fixture
def job(api: Api) -> Iterator[str]:
    """The name of a Job of the test's own."""
    name = f"wait-{secrets.token_hex(4)}"
    yield name
    api.ask("DELETE", f"/jobs/team-a/{name}")


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """Another thread, in which somebody waits."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def waiting(aside: ThreadPoolExecutor, api: Api, name: str, query: str, tag: str = "") -> Future[httpx.Response]:
    """What somebody is answered who asks for the Job and waits."""
    headers = {"If-None-Match": tag} if tag else {}
    return aside.submit(api.ask, "GET", f"/jobs/team-a/{name}?{query}", headers=headers)


def status(answer: httpx.Response) -> str:
    """The Job's status in *answer*."""
    return str(answer.raise_for_status().json()["data"][0]["status"])


def reason(answer: httpx.Response) -> str | None:
    """The reason of the Job's status in *answer*, if it has one."""
    found: str | None = answer.json()["data"][0].get("reason")
    return found


def submitted_anew(api: Api, name: str) -> httpx.Response:
    """A new Job whose image cannot be pulled, as one gets it at once: a quick cluster may know of that already."""
    if api.ask("DELETE", f"/jobs/team-a/{name}").status_code != HTTPStatus.NOT_FOUND:
        eventually(
            lambda: api.ask("GET", f"/jobs/team-a/{name}").status_code, lambda code: code == HTTPStatus.NOT_FOUND
        )
    api.submit(name=name, gpu=1, environment={SIMULATE_VARIABLE: "image-pull"})
    return api.ask("GET", f"/jobs/team-a/{name}")


def until_it_comes(api: Api, name: str, until: str) -> str:
    """The status that a script reads that asks again as long as the Job has not come to it."""
    wanted = {"running": {"Running", "Succeeded"}, "finished": {"Succeeded", "Failed"}}[until]
    return eventually(
        lambda: status(api.ask("GET", f"/jobs/team-a/{name}?wait=20&until={until}")), lambda one: one in wanted
    )


class TestUntil:
    """`until`."""

    def test_it_runs(self, api: Api, job: str, aside: ThreadPoolExecutor) -> None:
        """The one that waits gets its room, and whoever waits for it hears of it."""
        other = f"{job}-first"
        api.submit(name=other, gpu=8, environment=RUNS_ON)
        until_it_comes(api, other, "running")
        api.submit(name=job, gpu=8, environment=RUNS_ON)
        answer = waiting(aside, api, job, "wait=20&until=running")

        api.ask("DELETE", f"/jobs/team-a/{other}")

        assert status(answer.result()) == "Running"

    def test_it_has_ended(self, api: Api, job: str) -> None:
        """One call, made before the Job has a pod."""
        api.submit(name=job)

        assert status(api.ask("GET", f"/jobs/team-a/{job}?wait=20&until=finished")) == "Succeeded"

    @pytest.mark.parametrize("until", ["running", "finished"])
    def test_the_time_is_over(self, api: Api, job: str, until: str) -> None:
        """It did not come: the Job as it is, which its status tells."""
        api.waiting_job(job)

        assert status(api.ask("GET", f"/jobs/team-a/{job}?wait=1&until={until}")) == "Pending"

    def test_it_is_deleted(self, api: Api, job: str, aside: ThreadPoolExecutor) -> None:
        """It will not come any more, and the watch tells."""
        api.submit(name=job, environment=RUNS_ON)
        until_it_comes(api, job, "running")
        answer = waiting(aside, api, job, "wait=20&until=finished")

        api.ask("DELETE", f"/jobs/team-a/{job}")

        assert answer.result().status_code == 404


class TestChange:
    """`If-None-Match`."""

    def test_nothing_changes(self, api: Api, job: str) -> None:
        """304, with the same tag and no body."""
        tag = api.waiting_job(job)

        answer = api.ask("GET", f"/jobs/team-a/{job}?wait=1", headers={"If-None-Match": tag})

        assert (answer.status_code, answer.headers["ETag"], answer.content) == (304, tag, b"")

    def test_something_changes(self, api: Api, job: str, aside: ThreadPoolExecutor) -> None:
        """200, with another tag."""
        tag = api.waiting_job(job)
        answer = waiting(aside, api, job, "wait=20", tag)

        api.ask("POST", f"/jobs/team-a/{job}/suspend")

        # What the cluster writes first may be another change: a scheduler's attempt, a count of pods.
        assert answer.result().status_code == 200
        assert answer.result().headers["ETag"] != tag
        api.await_status(job, "Suspended")

    def test_a_pod_changes_and_the_job_does_not(self, api: Api, job: str, aside: ThreadPoolExecutor) -> None:
        """Nobody's watch of the Job tells that its pod cannot pull its image: it is looked for now and then."""
        first = eventually(lambda: submitted_anew(api, job), lambda answer: reason(answer) != "ImagePullBackOff")

        told = eventually(
            lambda: waiting(aside, api, job, "wait=20", first.headers["ETag"]).result(),
            lambda answer: answer.status_code == 200 and reason(answer) == "ImagePullBackOff",
        )

        assert told.headers["ETag"] != first.headers["ETag"]


class TestOthers:
    """Projects that are not the caller's."""

    def test_nobody_waits_in_a_foreign_one(self, api: Api) -> None:
        """Refused at once, as without waiting."""
        answers = [api.ask("GET", f"/jobs/team-b/there{query}") for query in ("", "?wait=20&until=finished")]

        assert answers[0].json()["code"] == "forbidden"
        assert answers[0].json() | {"instance": None} == answers[1].json() | {"instance": None}
