"""Whether a Job's pods could ever be made."""

from __future__ import annotations

import pytest

from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL
from chalicelib.domain.manifest.job import render
from chalicelib.domain.manifest.preflight import is_queued, never_fits, pod_of
from tests.support.builders import ALICE, identity, submission

QUOTA = "exceeded quota: room, requested: {}, used: {}, limited: {}"


class TestPodOf:
    """The pod that is asked about."""

    def test_is_the_one_that_the_job_would_make(self) -> None:
        """Its labels, if there are any, and its spec, as the Job's controller takes them from the template."""
        job = render(submission(gpu=4), ALICE, identity())

        pod = pod_of(job)

        assert (pod["kind"], pod["spec"]) == ("Pod", job["spec"]["template"]["spec"])
        assert pod["metadata"] == {
            "labels": job["spec"]["template"]["metadata"]["labels"],
            "generateName": "train-1-",
            "namespace": "researcher-team-a",
        }
        del job["spec"]["template"]["metadata"]
        assert pod_of(job)["metadata"] == {"generateName": "train-1-", "namespace": "researcher-team-a"}


class TestIsQueued:
    """Whether a queue holds the Job back."""

    @pytest.mark.parametrize(
        ("metadata", "queued"),
        [({"labels": {QUEUE_LABEL: "gpus"}}, True), ({"labels": {"a": ""}}, False), ({}, False)],
    )
    def test_by_its_label(self, metadata: dict[str, object], queued: bool) -> None:
        """Kueue's own."""
        assert is_queued({"metadata": metadata}) is queued


class TestNeverFits:
    """A quota that is too small is not one that is full."""

    @pytest.mark.parametrize(
        "refusal",
        [
            pytest.param(QUOTA.format("pods=1", "pods=0", "pods=0"), id="none at all"),
            pytest.param(QUOTA.format("requests.nvidia.com/gpu=5", "a=0", "requests.nvidia.com/gpu=4"), id="one more"),
            pytest.param(QUOTA.format("requests.memory=1Ti", "a=0", "requests.memory=999Gi"), id="units"),
            pytest.param(QUOTA.format("limits.cpu=1", "a=0", "limits.cpu=999m"), id="thousandths"),
            pytest.param(QUOTA.format("a=1,pods=2", "a=9,pods=9", "a=9,pods=1"), id="one of several"),
        ],
    )
    def test_more_than_all_of_it(self, refusal: str) -> None:
        """Whatever others give back, it will not do."""
        assert never_fits(f"The Job does not fit in the Project's quota: {refusal}")

    @pytest.mark.parametrize(
        "refusal",
        [
            pytest.param(QUOTA.format("pods=1", "pods=1", "pods=1"), id="all of it"),
            pytest.param(QUOTA.format("a=1,pods=1", "a=9,pods=9", "a=9,pods=9"), id="several"),
            pytest.param(QUOTA.format("a=1", "a=0", "b=0"), id="of other things"),
            pytest.param(QUOTA.format("a=many", "a=0", "a=few"), id="no numbers"),
            pytest.param("exceeded quota: room", id="cut off"),
            pytest.param("", id="nothing"),
        ],
    )
    def test_less_or_who_knows(self, refusal: str) -> None:
        """It will fit when others end; what cannot be read is not held against the Job."""
        assert not never_fits(refusal)
