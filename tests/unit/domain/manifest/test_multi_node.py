"""Multi-node Jobs: what is made of them in which step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.kubernetes.jobs import Job
from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from chalicelib.domain.manifest.job import render
from chalicelib.domain.manifest.multi_node import as_incomplete, is_incomplete, rendezvous_env, service_of, start_patch
from chalicelib.domain.names import NEW_JOB_PATTERN
from chalicelib.domain.submission.idempotency import JobIdentity, UniqueRequest, identify
from tests.support.builders import ALICE, submission

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Manifest

QUEUE = "kueue.x-k8s.io/queue-name"


def whole(**fields: object) -> Manifest:
    """The Job of two nodes that Alice asks for."""
    asked = submission(name="train-1", nodes=2, **fields)
    return render(asked, ALICE, identify(asked, ALICE, UniqueRequest("nonce")))


def stored(manifest: Manifest) -> Job:
    """The Job of *manifest* as the cluster has it."""
    job = msgspec.convert(manifest, Job)
    job.metadata.uid, job.metadata.resource_version = "u1", "7"
    return job


class TestRendezvous:
    """What torchrun finds in the environment."""

    def test_variables(self) -> None:
        """The first pod's name in the Service, the port, how many there are, and which this one is; under two names."""
        found = JobIdentity("train-1", "asked", None, "nonce")

        rank = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
        assert rendezvous_env(found, 2) == [
            {"name": "MASTER_ADDR", "value": f"train-1-0.{found.service}"},
            {"name": "MASTER_PORT", "value": "29500"},
            {"name": "NNODES", "value": "2"},
            {"name": "NODE_RANK", "valueFrom": {"fieldRef": {"fieldPath": rank}}},
            {"name": "PET_MASTER_ADDR", "value": f"train-1-0.{found.service}"},
            {"name": "PET_MASTER_PORT", "value": "29500"},
            {"name": "PET_NNODES", "value": "2"},
            {"name": "PET_NODE_RANK", "valueFrom": {"fieldRef": {"fieldPath": rank}}},
        ]

    def test_pods_have_their_names_in_the_service(self) -> None:
        """A pod's DNS name is its host name, which the Job gives, in the subdomain, which is the Service's name."""
        manifest = whole()

        pod, service = manifest["spec"]["template"]["spec"], service_of(stored(manifest))["metadata"]["name"]
        address = pod["containers"][0]["env"][1]["value"]
        assert (pod["subdomain"], address) == (service, f"train-1-0.{service}")

    @given(st.from_regex(NEW_JOB_PATTERN, fullmatch=True), st.text(max_size=40))
    def test_names_are_those_of_services(self, name: str, nonce: str) -> None:
        """However long the Job's name is, and if it begins with a digit, which Kubernetes 1.35 refuses of a Service.

        Each request has one of its own: that of an earlier Job of the name goes some moments after it.
        """
        assert JobIdentity(name, "asked", None, nonce).service != JobIdentity(name, "asked", None, f"{nonce}2").service
        assert re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", JobIdentity(name, "asked", None, nonce).service)


class TestHalfMade:
    """The Job before its Service is there."""

    def test_waits_suspended_under_a_mark(self) -> None:
        """No pod starts that would not find the others; nor does Kueue start it, since the mark keeps its queue."""
        for fields, mark in (({}, ""), ({"queue": "gpus"}, "gpus")):
            manifest = as_incomplete(whole(**fields))

            assert (manifest["spec"]["suspend"], manifest["metadata"]["annotations"][INCOMPLETE_ANNOTATION]) == (
                True,
                mark,
            )
            assert QUEUE not in manifest["metadata"]["labels"]
            assert is_incomplete(stored(manifest))

    def test_whole_one_is_not(self) -> None:
        """Nor does making the half change it."""
        manifest = whole(queue="gpus")

        as_incomplete(manifest)

        assert not is_incomplete(stored(manifest))
        assert "suspend" not in manifest["spec"]


class TestService:
    """The headless Service."""

    def test_names_the_pods_of_this_job_alone(self) -> None:
        """By its uid, also before they are ready; the Job owns it, so it goes with it."""
        service = service_of(stored(whole()))

        (owner,) = service["metadata"]["ownerReferences"]
        selector = {"batch.kubernetes.io/controller-uid": "u1"}
        assert owner == {"apiVersion": "batch/v1", "kind": "Job", "name": "train-1", "uid": "u1"}
        assert service["spec"] == {"clusterIP": "None", "selector": selector, "publishNotReadyAddresses": True}


class TestStart:
    """The change that makes it whole."""

    def test_starts_the_job_that_was_seen(self) -> None:
        """Another one, or one that changed meanwhile, stays as it is."""
        assert start_patch(stored(as_incomplete(whole()))) == {
            "metadata": {"uid": "u1", "resourceVersion": "7", "annotations": {INCOMPLETE_ANNOTATION: None}},
            "spec": {"suspend": False},
        }

    def test_leaves_the_start_to_the_queue(self) -> None:
        """The Job stays suspended, until Kueue lets it out of the queue."""
        change = start_patch(stored(as_incomplete(whole(queue="gpus"))))

        assert (change["metadata"]["labels"], "spec" in change) == ({QUEUE: "gpus"}, False)
