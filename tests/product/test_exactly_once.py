"""One request, however often it comes, makes one Job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from infra.localcluster.kinds import JOB
from tests.support.api import IMAGE, Api
from tests.support.sizes import cases

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

AT_ONCE = cases(64, thorough=256)


def stored(stack: Stack) -> list[str]:
    """The names of the Jobs that the cluster has in team-a."""
    return [job["metadata"]["name"] for job in stack.cluster.find(JOB, "researcher-team-a")]


class TestIdempotencyKey:
    """The header `Idempotency-Key`."""

    def test_many_at_once_make_one_job(self, stack: Stack, api: Api) -> None:
        """All are answered 201 with the same Job, and no more than one as its first: that answer may get lost."""
        api.ask("GET", "/projects")  # in a Lambda no two requests wait for one token: each has a process of its own
        before = stored(stack)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(
                pool.map(lambda _: api.submit_until_made(headers={"Idempotency-Key": "sweep 7"}, gpu=1), range(AT_ONCE))
            )

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert [answer.headers.get("Idempotent-Replayed") for answer in answers].count(None) <= 1
        assert len(stored(stack)) == len(before) + 1

    @pytest.mark.parametrize(
        ("other", "code"),
        [
            ({"gpu": 2}, "idempotency_key_reused"),
            ({"type": "Interactive"}, "idempotency_key_reused"),
            ({"image": "busybox"}, "idempotency_key_reused"),
            ({"jobNamePrefix": "sweep"}, "invalid_job"),
        ],
    )
    def test_another_body_is_refused(self, stack: Stack, api: Api, other: dict[str, object], code: str) -> None:
        """The key of one request is not taken for another's, and nothing is made."""
        key = {"Idempotency-Key": f"two bodies, {sorted(other)}"}
        api.submit(headers=key)
        before = stored(stack)

        body = {"project": "team-a", "image": IMAGE, **other}
        answer = api.ask("POST", "/jobs", json=body, headers=key)

        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert stored(stack) == before

    def test_another_callers_key_is_another_key(self, stack: Stack, api: Api) -> None:
        """Two callers in one Project do not meet each other's Jobs by a common key."""
        key = {"Idempotency-Key": "common"}
        with Api(stack, "bob") as bob:
            names = {one.submit("team-shared", headers=key).json()["name"] for one in (api, bob)}

        assert len(names) == 2

    @pytest.mark.parametrize("key", ["", "a" * 256, "tab\there"], ids=["empty", "long", "tab"])
    def test_an_odd_key_is_refused(self, stack: Stack, api: Api, key: str) -> None:
        """A key that could be read in two ways makes nothing."""
        before = stored(stack)

        answer = api.submit(headers={"Idempotency-Key": key})

        assert answer.status_code in (400, 422)
        assert stored(stack) == before


class TestName:
    """The field `name`."""

    def test_many_at_once_make_one_job(self, api: Api) -> None:
        """A name is a lock like a key."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda _: api.submit_until_made(name="named", gpu=1), range(AT_ONCE)))

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1

    def test_another_job_of_that_name_is_refused(self, api: Api) -> None:
        """The name is taken: 409, and the Job that has it stays as it is."""
        first = api.submit(name="taken", gpu=1).json()

        answer = api.submit(name="taken", gpu=2)

        assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
        assert api.ask("GET", "/jobs/team-a/taken").json()["data"][0]["id"] == first["id"]

    def test_is_free_again_after_deletion(self, api: Api) -> None:
        """The promise lasts as long as the Job."""
        first = api.submit(name="again").json()
        api.ask("DELETE", "/jobs/team-a/again")

        second = api.submit(name="again")

        assert second.status_code == 201
        assert second.json()["id"] != first["id"]


class TestNeither:
    """A submission with neither name nor key."""

    def test_makes_a_job_each_time(self, api: Api) -> None:
        """Nobody said that they are the same."""
        names = {api.submit(jobNamePrefix="trial").json()["name"] for _ in range(3)}

        assert len(names) == 3
        assert all(name.startswith("trial-") for name in names)


class TestDryRun:
    """`?dryRun=true`."""

    def test_makes_nothing(self, stack: Stack, api: Api) -> None:
        """The answer is the Job as it would be stored; the cluster stores none."""
        before = stored(stack)

        answer = api.ask("POST", "/jobs?dryRun=true", json={"project": "team-a", "image": "busybox", "name": "dry"})

        assert (answer.status_code, answer.json()["kind"]) == (200, "Job")
        assert stored(stack) == before
