"""A Job like another, but for what is to be different."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.kinds import JOB

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.support.api import Api

ORIGINAL: dict[str, Any] = {
    "name": "original",
    "gpu": 1,
    "command": "python 'train it.py'",
    "environment": {"LR": "0.1", "SEED": 7, "TOKEN": {"secret": {"name": "hub", "key": "token"}}},
    "labels": {"sweep": "7"},
}


def stored(stack: Stack) -> dict[str, dict[str, Any]]:
    """The Jobs of team-a by name."""
    return {job["metadata"]["name"]: job for job in stack.cluster.find(JOB, "researcher-team-a")}


@pytest.fixture
def clone(api: Api) -> str:
    """The path that clones the original."""
    api.submit(**ORIGINAL)
    return "/jobs/team-a/original/clone"


class TestClone:
    """`POST /jobs/{project}/{name}/clone`."""

    def test_is_the_job_with_the_change(self, stack: Stack, api: Api, clone: str) -> None:
        """Under a name of its own; the Secret is still a reference."""
        answer = api.ask("POST", clone, json={"environment": {"LR": "0.2", "SEED": None}, "gpu": 2})

        view = answer.json()
        assert answer.status_code == 201
        assert answer.headers["Location"] == f"/researcher/api/v1/jobs/team-a/{view['name']}"
        assert (view["requestedGPUs"], view["labels"], view["user"]) == (2, {"sweep": "7"}, "alice")
        (container,) = stored(stack)[view["name"]]["spec"]["template"]["spec"]["containers"]
        secret = {"secretKeyRef": {"name": "hub", "key": "token"}}
        assert container["env"] == [{"name": "LR", "value": "0.2"}, {"name": "TOKEN", "valueFrom": secret}]
        assert container["command"] == ["python", "train it.py"]

    def test_can_be_cloned_in_turn(self, api: Api, clone: str) -> None:
        """It carries its own submission."""
        first = api.ask("POST", clone, json={"gpu": 2}).json()["name"]

        assert api.ask("POST", f"/jobs/team-a/{first}/clone", json={}).json()["requestedGPUs"] == 2

    def test_key_makes_it_once(self, stack: Stack, api: Api, clone: str) -> None:
        """The same clone twice is one Job; another patch under that key is a mistake, and so is a key that is none."""
        key = {"Idempotency-Key": "clone 7"}
        first = api.ask("POST", clone, json={"gpu": 2}, headers=key)
        before = stored(stack).keys()

        second = api.ask("POST", clone, json={"gpu": 2}, headers=key)
        other = api.ask("POST", clone, json={"gpu": 3}, headers=key)
        long = api.ask("POST", clone, json={}, headers={"Idempotency-Key": "a" * 256})

        assert second.headers["Idempotent-Replayed"] == "true"
        assert second.json()["id"] == first.json()["id"]
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert (long.status_code, long.json()["code"]) == (400, "malformed_request")
        assert stored(stack).keys() == before

    def test_dry_run_makes_nothing(self, stack: Stack, api: Api, clone: str) -> None:
        """It shows the Kubernetes Job."""
        before = stored(stack).keys()

        answer = api.ask("POST", f"{clone}?dryRun=true", json={"name": "dry"})

        assert (answer.status_code, answer.json()["metadata"]["name"]) == (200, "dry")
        assert stored(stack).keys() == before

    @pytest.mark.parametrize(
        ("patch", "status", "pointers"),
        [
            ([], 422, {""}),
            ({"gpu": "2"}, 422, {"/gpu"}),
            ({"project": "team-shared"}, 422, {"/project"}),
            ({"project": None}, 422, {"/project"}),
            ({"image": None}, 422, {"/image"}),
            ({"hostNetwork": True}, 422, {"/hostNetwork"}),
            ({"environment": {"A": []}}, 422, {"/environment/A"}),
            ({"name": "original", "gpu": 2}, 409, set()),
        ],
    )
    def test_bad_changes_make_nothing(  # noqa: PLR0913, PLR0917 - three of them make the case
        self, stack: Stack, api: Api, clone: str, patch: object, status: int, pointers: set[str]
    ) -> None:
        """The patched submission is checked as any other."""
        before = stored(stack).keys()

        answer = api.ask("POST", clone, json=patch)

        assert answer.status_code == status
        assert {one["pointer"] for one in answer.json().get("errors", [])} == pointers
        assert stored(stack).keys() == before

    def test_bounds_are_those_of_a_body(self, api: Api, clone: str) -> None:
        """A patch is JSON, of bounded size and depth."""
        kind = {"Content-Type": "application/json"}
        bodies = [b"", b"{", b"[" * 10_000, b" " * 65_537]

        assert [api.ask("POST", clone, content=body, headers=kind).status_code for body in bodies] == [
            400,
            400,
            400,
            413,
        ]
        assert api.ask("POST", clone, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415

    def test_annotation_that_somebody_changed_gives_no_rights(self, stack: Stack, api: Api, clone: str) -> None:
        """What the Job carries is parsed as any submission, and the Project is that of the path."""
        forged = json.dumps({"project": "team-b", "image": "busybox", "hostNetwork": True})
        metadata = {
            "name": "original",
            "namespace": "researcher-team-a",
            "annotations": {"researcher.dev/submission": forged},
        }
        job = stored(stack)["original"]
        stack.cluster.apply(
            [{"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": _template(job)}}]
        )

        answer = api.ask("POST", clone, json={})

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/hostNetwork")
        api.ask("DELETE", "/jobs/team-a/original")


def _template(job: dict[str, Any]) -> dict[str, Any]:
    template: dict[str, Any] = job["spec"]["template"]
    return template
