"""Idempotent submission: a request that is repeated creates one Job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from infra.localcluster.kinds import JOB
from tests.support.api import IMAGE, Api
from tests.support.sizes import cases

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

CONCURRENT = cases(64, thorough=256)


def stored_names(stack: Stack) -> list[str]:
    """Return the names of the stored Jobs in team-a."""
    return [job["metadata"]["name"] for job in stack.cluster.find(JOB, "researcher-team-a")]


class TestIdempotencyKey:
    """The header `Idempotency-Key`."""

    def test_concurrent_requests_create_one_job(self, stack: Stack, api: Api) -> None:
        """Concurrent requests all return 201 with the same Job, and at most one response is not a replay."""
        api.request("GET", "/projects")  # fill the caches: a Lambda process serves one request at a time
        before = stored_names(stack)
        with ThreadPoolExecutor(CONCURRENT) as pool:
            responses = list(
                pool.map(
                    lambda _: api.submit_until_created(headers={"Idempotency-Key": "sweep 7"}, gpu=1), range(CONCURRENT)
                )
            )

        assert {response.status_code for response in responses} == {201}
        assert len({response.json()["id"] for response in responses}) == 1
        assert [response.headers.get("Idempotent-Replayed") for response in responses].count(None) <= 1
        assert len(stored_names(stack)) == len(before) + 1

    @pytest.mark.parametrize(
        ("other", "code"),
        [
            ({"gpu": 2}, "idempotency_key_reused"),
            ({"type": "Interactive"}, "idempotency_key_reused"),
            ({"image": "busybox"}, "idempotency_key_reused"),
            ({"jobNamePrefix": "sweep"}, "idempotency_key_reused"),
        ],
    )
    def test_another_body_is_rejected(self, stack: Stack, api: Api, other: dict[str, object], code: str) -> None:
        """A key that is sent again with another body is rejected, and no Job is created."""
        key = {"Idempotency-Key": f"two bodies, {sorted(other)}"}
        api.submit(headers=key)
        before = stored_names(stack)

        body = {"project": "team-a", "image": IMAGE, **other}
        response = api.request("POST", "/jobs", json=body, headers=key)

        assert (response.status_code, response.json()["code"]) == (422, code)
        assert stored_names(stack) == before

    def test_key_with_a_prefix(self, stack: Stack, api: Api) -> None:
        """The name has the prefix, a repeated request is a replay, and the key with another prefix names the Job."""
        key = {"Idempotency-Key": "with a prefix"}
        first = api.submit(headers=key, jobNamePrefix="sweep-7")
        before = stored_names(stack)

        second = api.submit(headers=key, jobNamePrefix="sweep-7")
        others = [
            api.request("POST", path, json={"project": "team-a", "image": IMAGE, **prefix}, headers=key)
            for path in ("/jobs", "/jobs?dryRun=true")
            for prefix in ({}, {"jobNamePrefix": "sweep-8"})
        ]

        name = first.json()["name"]
        assert name.startswith("sweep-7-")
        assert (second.json()["name"], second.headers["Idempotent-Replayed"]) == (name, "true")
        assert {(other.status_code, other.json()["code"]) for other in others} == {(422, "idempotency_key_reused")}
        assert all(f"for the Job {name}." in other.json()["detail"] for other in others)
        assert stored_names(stack) == before

    def test_keys_belong_to_a_caller(self, stack: Stack, api: Api) -> None:
        """The same key of two callers in one Project creates two Jobs."""
        key = {"Idempotency-Key": "common"}
        with Api(stack, "bob") as bob:
            names = {each.submit("team-shared", headers=key).json()["name"] for each in (api, bob)}

        assert len(names) == 2

    @pytest.mark.parametrize("key", ["", "a" * 256, "tab\there"], ids=["empty", "long", "tab"])
    def test_invalid_key_is_rejected(self, stack: Stack, api: Api, key: str) -> None:
        """An empty key, one that is too long and one with a control character are rejected, and no Job is created."""
        before = stored_names(stack)

        response = api.submit(headers={"Idempotency-Key": key})

        assert response.status_code in (400, 422)
        assert stored_names(stack) == before


class TestName:
    """The field `name`."""

    def test_concurrent_requests_create_one_job(self, api: Api) -> None:
        """Concurrent requests with the same name create one Job."""
        with ThreadPoolExecutor(CONCURRENT) as pool:
            responses = list(pool.map(lambda _: api.submit_until_created(name="named", gpu=1), range(CONCURRENT)))

        assert {response.status_code for response in responses} == {201}
        assert len({response.json()["id"] for response in responses}) == 1

    def test_name_of_another_job_is_rejected(self, api: Api) -> None:
        """A submission with the name of a different Job returns 409 and leaves that Job unchanged."""
        first = api.submit(name="taken", gpu=1).json()

        response = api.submit(name="taken", gpu=2)

        assert (response.status_code, response.json()["code"]) == (409, "name_taken")
        assert api.request("GET", "/jobs/team-a/taken").json()["data"][0]["id"] == first["id"]

    def test_name_can_be_used_after_deletion(self, api: Api) -> None:
        """After its Job was deleted, a name can be used again."""
        first = api.submit(name="again").json()
        api.request("DELETE", "/jobs/team-a/again")

        second = api.submit(name="again")

        assert second.status_code == 201
        assert second.json()["id"] != first["id"]


class TestNeitherNameNorKey:
    """A submission with neither name nor key."""

    def test_each_request_creates_a_job(self, api: Api) -> None:
        """Requests without a name and a key each create a Job."""
        names = {api.submit(jobNamePrefix="trial").json()["name"] for _ in range(3)}

        assert len(names) == 3
        assert all(name.startswith("trial-") for name in names)


class TestDryRun:
    """`?dryRun=true`."""

    def test_creates_nothing(self, stack: Stack, api: Api) -> None:
        """A dry run returns the Job as the cluster would store it, and creates nothing."""
        before = stored_names(stack)

        response = api.request(
            "POST", "/jobs?dryRun=true", json={"project": "team-a", "image": "busybox", "name": "dry"}
        )

        assert (response.status_code, response.json()["kind"]) == (200, "Job")
        assert stored_names(stack) == before
