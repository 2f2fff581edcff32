"""Clones: new Jobs with the submission of another Job and a merge patch."""

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


def stored_jobs(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return the Jobs of team-a by name."""
    return {job["metadata"]["name"]: job for job in stack.cluster.find(JOB, "researcher-team-a")}


@pytest.fixture
def clone(api: Api) -> str:
    """Create the original, and return the path that clones it."""
    api.submit(**ORIGINAL)
    return "/jobs/team-a/original/clone"


class TestClone:
    """`POST /jobs/{project}/{name}/clone`."""

    def test_applies_the_patch(self, stack: Stack, api: Api, clone: str) -> None:
        """A clone has a new name and the patched fields; a reference to a Secret remains a reference."""
        response = api.request("POST", clone, json={"environment": {"LR": "0.2", "SEED": None}, "gpu": 2})

        view = response.json()
        assert response.status_code == 201
        assert response.headers["Location"] == f"/researcher/api/v1/jobs/team-a/{view['name']}"
        assert (view["requestedGPUs"], view["labels"], view["user"]) == (2, {"sweep": "7"}, "alice")
        (container,) = stored_jobs(stack)[view["name"]]["spec"]["template"]["spec"]["containers"]
        secret = {"secretKeyRef": {"name": "hub", "key": "token"}}
        assert container["env"] == [{"name": "LR", "value": "0.2"}, {"name": "TOKEN", "valueFrom": secret}]
        assert container["command"] == ["python", "train it.py"]

    @pytest.mark.parametrize("parameter", ["", "; charset=utf-8"])
    def test_media_type_of_a_merge_patch(self, stack: Stack, api: Api, clone: str, parameter: str) -> None:
        """A patch may have the media type of merge patches, and its numbers arrive as they are written."""
        body = b'{"name": "patched", "environment": {"LR": 1e-4}}'
        headers = {"Content-Type": "application/merge-patch+json" + parameter}

        response = api.request("POST", clone, content=body, headers=headers)

        assert response.status_code == 201
        (container,) = stored_jobs(stack)["patched"]["spec"]["template"]["spec"]["containers"]
        assert {"name": "LR", "value": "1e-4"} in container["env"]

    def test_clone_can_be_cloned(self, api: Api, clone: str) -> None:
        """A clone stores its own submission, so it can be cloned."""
        first = api.request("POST", clone, json={"gpu": 2}).json()["name"]

        assert api.request("POST", f"/jobs/team-a/{first}/clone", json={}).json()["requestedGPUs"] == 2

    def test_idempotency_key(self, stack: Stack, api: Api, clone: str) -> None:
        """A key makes a repeated clone one Job; another patch with that key is 422, and a key that is too long 400."""
        key = {"Idempotency-Key": "clone 7"}
        first = api.request("POST", clone, json={"gpu": 2}, headers=key)
        before = stored_jobs(stack).keys()

        second = api.request("POST", clone, json={"gpu": 2}, headers=key)
        other = api.request("POST", clone, json={"gpu": 3}, headers=key)
        long = api.request("POST", clone, json={}, headers={"Idempotency-Key": "a" * 256})

        assert second.headers["Idempotent-Replayed"] == "true"
        assert second.json()["id"] == first.json()["id"]
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert (long.status_code, long.json()["code"]) == (400, "malformed_request")
        assert stored_jobs(stack).keys() == before

    def test_dry_run_creates_nothing(self, stack: Stack, api: Api, clone: str) -> None:
        """A dry run returns the Kubernetes Job and creates nothing."""
        before = stored_jobs(stack).keys()

        response = api.request("POST", f"{clone}?dryRun=true", json={"name": "dry"})

        assert (response.status_code, response.json()["metadata"]["name"]) == (200, "dry")
        assert stored_jobs(stack).keys() == before

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
    def test_invalid_patches(  # noqa: PLR0913, PLR0917 - three of them are the case
        self, stack: Stack, api: Api, clone: str, patch: object, status: int, pointers: set[str]
    ) -> None:
        """The patched submission is validated as any other, and an invalid one creates nothing."""
        before = stored_jobs(stack).keys()

        response = api.request("POST", clone, json=patch)

        assert response.status_code == status
        assert {each["pointer"] for each in response.json().get("errors", [])} == pointers
        assert stored_jobs(stack).keys() == before

    def test_patch_is_limited_like_a_body(self, api: Api, clone: str) -> None:
        """A patch must be JSON of limited size and depth."""
        headers = {"Content-Type": "application/json"}
        bodies = [b"", b"{", b"[" * 10_000, b" " * 65_537]

        assert [api.request("POST", clone, content=body, headers=headers).status_code for body in bodies] == [
            400,
            400,
            400,
            413,
        ]
        assert api.request("POST", clone, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415

    def test_changed_annotation_gives_no_access(self, stack: Stack, api: Api, clone: str) -> None:
        """The stored submission is validated again, and the Project is that of the path."""
        changed = json.dumps({"project": "team-b", "image": "busybox", "hostNetwork": True})
        metadata = {
            "name": "original",
            "namespace": "researcher-team-a",
            "annotations": {"researcher.dev/submission": changed},
        }
        job = stored_jobs(stack)["original"]
        stack.cluster.apply(
            [{"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": _template(job)}}]
        )

        response = api.request("POST", clone, json={})

        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/hostNetwork")
        api.request("DELETE", "/jobs/team-a/original")


def _template(job: dict[str, Any]) -> dict[str, Any]:
    template: dict[str, Any] = job["spec"]["template"]
    return template
