"""Tests of the preflight check."""

from __future__ import annotations

import pytest

from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL
from chalicelib.domain.manifest.job import render
from chalicelib.domain.manifest.preflight import is_queued, never_fits, pod_of
from tests.support.builders import ALICE, identity, submission

QUOTA = "exceeded quota: gpus, requested: {}, used: {}, limited: {}"


class TestPodOf:
    """Tests of pod_of."""

    def test_pod_of_the_job(self) -> None:
        """The pod has the labels, if any, and the spec of the template, as the Job controller creates it."""
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
    """Tests of is_queued."""

    @pytest.mark.parametrize(
        ("metadata", "queued"),
        [({"labels": {QUEUE_LABEL: "gpus"}}, True), ({"labels": {"a": ""}}, False), ({}, False)],
    )
    def test_queue_label(self, metadata: dict[str, object], queued: bool) -> None:
        """A Job with the label of Kueue is queued."""
        assert is_queued({"metadata": metadata}) is queued


class TestNeverFits:
    """Tests of never_fits."""

    @pytest.mark.parametrize(
        "message",
        [
            pytest.param(QUOTA.format("pods=1", "pods=0", "pods=0"), id="limit 0"),
            pytest.param(QUOTA.format("requests.nvidia.com/gpu=5", "a=0", "requests.nvidia.com/gpu=4"), id="one more"),
            pytest.param(QUOTA.format("requests.memory=1Ti", "a=0", "requests.memory=999Gi"), id="units"),
            pytest.param(QUOTA.format("limits.cpu=1", "a=0", "limits.cpu=999m"), id="millicores"),
            pytest.param(QUOTA.format("a=1,pods=2", "a=9,pods=9", "a=9,pods=1"), id="one of several"),
        ],
    )
    def test_more_than_the_quota(self, message: str) -> None:
        """A pod that requests more than the whole quota never fits."""
        assert never_fits(f"The Job does not fit in the Project's quota: {message}")

    @pytest.mark.parametrize(
        "message",
        [
            pytest.param(QUOTA.format("pods=1", "pods=1", "pods=1"), id="whole quota"),
            pytest.param(QUOTA.format("a=1,pods=1", "a=9,pods=9", "a=9,pods=9"), id="several"),
            pytest.param(QUOTA.format("a=1", "a=0", "b=0"), id="other resources"),
            pytest.param(QUOTA.format("a=many", "a=0", "a=few"), id="invalid numbers"),
            pytest.param("exceeded quota: gpus", id="incomplete"),
            pytest.param("", id="empty"),
        ],
    )
    def test_within_the_quota_or_unknown(self, message: str) -> None:
        """A pod within the quota may fit later, and so may one with an unknown message."""
        assert not never_fits(message)
