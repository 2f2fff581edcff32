"""Deleting Jobs, and what becomes of their pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually
from tests.support.namespace import job, outcome_of

if TYPE_CHECKING:
    from tests.cluster.json_client import Document
    from tests.support.namespace import TestNamespace


def is_gone(space: TestNamespace, name: str) -> bool:
    """Whether there is no Job of that name."""
    return not space.client.get(space.jobs, fieldSelector=f"metadata.name={name}")["items"]


class TestPolicy:
    """propagationPolicy."""

    @pytest.mark.parametrize("place", ["body", "query"])
    def test_background_takes_the_pods_too(self, space: TestNamespace, place: str) -> None:
        """The Job goes at once, and its pods follow."""
        space.submit(job("whole", "run-forever"))
        space.await_pods("whole", phase="Running")

        if place == "query":
            space.client.request("DELETE", f"{space.jobs}/whole?propagationPolicy=Background")
        else:
            space.client.delete(f"{space.jobs}/whole", propagationPolicy="Background")

        assert is_gone(space, "whole")
        space.await_pods("whole", 0)

    def test_a_service_goes_with_its_owner(self, space: TestNamespace) -> None:
        """Also one that comes when its owner has gone already."""
        made = [space.submit(job(name, suspend=True))["metadata"] for name in ("early", "late")]
        early, late = (_service(one["name"], one["uid"]) for one in made)
        space.client.create(f"{space.path}/services", early)

        for one in made:
            space.client.delete(f"{space.jobs}/{one['name']}", propagationPolicy="Background")
        space.client.create(f"{space.path}/services", late)

        eventually(lambda: space.client.get(f"{space.path}/services")["items"], lambda found: not found)

    def test_none_leaves_the_pods(self, space: TestNamespace) -> None:
        """Without a word, a batch/v1 Job leaves its pods running, and their GPUs taken."""
        space.submit(job("half", "run-forever"))
        space.await_pods("half", phase="Running")

        space.client.delete(f"{space.jobs}/half")

        eventually(lambda: is_gone(space, "half"), bool)
        assert [pod["status"]["phase"] for pod in space.pods_of("half")] == ["Running"]

    def test_answers_what_is_gone(self, space: TestNamespace) -> None:
        """The answer names the Job by its uid."""
        uid = space.submit(job("told", suspend=True))["metadata"]["uid"]

        answer = space.client.delete(f"{space.jobs}/told", propagationPolicy="Background")

        assert (answer["kind"], answer["status"]) == ("Status", "Success")
        assert {"name": "told", "group": "batch", "kind": "jobs", "uid": uid} == answer["details"]

    def test_dry_run_deletes_nothing(self, space: TestNamespace) -> None:
        """The Job is there afterwards."""
        space.submit(job("kept", suspend=True))

        space.client.delete(f"{space.jobs}/kept", propagationPolicy="Background", dryRun=["All"])

        assert not is_gone(space, "kept")

    def test_what_is_missing(self, space: TestNamespace) -> None:
        """There is nothing to delete."""
        refusal = outcome_of(lambda: space.client.delete(f"{space.jobs}/nobody"))

        assert refusal[:3] == (404, "NotFound", 'jobs.batch "nobody" not found')


class TestPreconditions:
    """Delete this very Job, or none."""

    @pytest.mark.parametrize(
        "field", [pytest.param("uid", id="another Job"), pytest.param("resourceVersion", id="another version")]
    )
    def test_that_do_not_hold(self, space: TestNamespace, field: str) -> None:
        """The Job stays, and the refusal is a conflict."""
        space.submit(job("meant", suspend=True))

        refusal = outcome_of(lambda: space.client.delete(f"{space.jobs}/meant", preconditions={field: "1"}))

        assert refusal[:2] == (409, "Conflict")
        assert 'Operation cannot be fulfilled on Job.batch "meant": the ' in refusal.message
        assert "in the precondition (1) does not match" in refusal.message
        assert not is_gone(space, "meant")

    def test_that_hold(self, space: TestNamespace) -> None:
        """The Job goes."""
        space.submit(job("meant", suspend=True))
        eventually(lambda: space.job("meant")["status"], lambda status: "conditions" in status)
        metadata = space.job("meant")["metadata"]

        wanted = {field: metadata[field] for field in ("uid", "resourceVersion")}
        space.client.delete(f"{space.jobs}/meant", propagationPolicy="Background", preconditions=wanted)

        assert is_gone(space, "meant")


def _service(name: str, job_uid: str) -> Document:
    """A headless Service of the Job with the same name."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job_uid}
    spec = {"clusterIP": "None", "selector": {"batch.kubernetes.io/controller-uid": job_uid}}
    return {"metadata": {"name": name, "ownerReferences": [owner]}, "spec": spec}
