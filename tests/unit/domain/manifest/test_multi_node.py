"""Tests of multi-node Jobs."""

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
from chalicelib.domain.submission.deduplication_key import UniqueRequest
from chalicelib.domain.submission.idempotency import JobIdentity, identify
from tests.support.builders import ALICE, submission

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Manifest

QUEUE = "kueue.x-k8s.io/queue-name"


def complete(**fields: object) -> Manifest:
    """Return a Job of Alice with two nodes."""
    two_nodes = submission(name="train-1", nodes=2, **fields)
    return render(two_nodes, ALICE, identify(two_nodes, ALICE, UniqueRequest("nonce")))


def stored(manifest: Manifest) -> Job:
    """Return the Job *manifest* as the API server returns it."""
    job = msgspec.convert(manifest, Job)
    job.metadata.uid, job.metadata.resource_version = "u1", "7"
    return job


class TestRendezvous:
    """Tests of rendezvous_env."""

    def test_variables(self) -> None:
        """The variables have the address and port of the first node, the number of nodes and the rank, twice."""
        job = JobIdentity("train-1", "hash", None, "nonce")

        rank = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
        assert rendezvous_env(job, 2) == [
            {"name": "MASTER_ADDR", "value": f"train-1-0.{job.service}"},
            {"name": "MASTER_PORT", "value": "29500"},
            {"name": "NNODES", "value": "2"},
            {"name": "NODE_RANK", "valueFrom": {"fieldRef": {"fieldPath": rank}}},
            {"name": "PET_MASTER_ADDR", "value": f"train-1-0.{job.service}"},
            {"name": "PET_MASTER_PORT", "value": "29500"},
            {"name": "PET_NNODES", "value": "2"},
            {"name": "PET_NODE_RANK", "valueFrom": {"fieldRef": {"fieldPath": rank}}},
        ]

    def test_address_of_the_first_pod(self) -> None:
        """The address of a pod is its host name in the subdomain, which is the name of the Service."""
        manifest = complete()

        pod, service = manifest["spec"]["template"]["spec"], service_of(stored(manifest))["metadata"]["name"]
        address = pod["containers"][0]["env"][1]["value"]
        assert (pod["subdomain"], address) == (service, f"train-1-0.{service}")

    @given(st.from_regex(NEW_JOB_PATTERN, fullmatch=True), st.text(max_size=40))
    def test_name_of_the_service(self, name: str, nonce: str) -> None:
        """The name of a Service is unique for each request and always valid, even in Kubernetes 1.35."""
        assert JobIdentity(name, "hash", None, nonce).service != JobIdentity(name, "hash", None, f"{nonce}2").service
        assert re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", JobIdentity(name, "hash", None, nonce).service)


class TestIncomplete:
    """Tests of as_incomplete and is_incomplete."""

    def test_is_suspended_and_annotated(self) -> None:
        """Neither the Job controller nor Kueue starts the Job; the annotation keeps the name of its queue."""
        for fields, queue in (({}, ""), ({"queue": "gpus"}, "gpus")):
            manifest = as_incomplete(complete(**fields))

            assert (manifest["spec"]["suspend"], manifest["metadata"]["annotations"][INCOMPLETE_ANNOTATION]) == (
                True,
                queue,
            )
            assert QUEUE not in manifest["metadata"]["labels"]
            assert is_incomplete(stored(manifest))

    def test_original_is_not_changed(self) -> None:
        """The original manifest stays complete."""
        manifest = complete(queue="gpus")

        as_incomplete(manifest)

        assert not is_incomplete(stored(manifest))
        assert "suspend" not in manifest["spec"]


class TestService:
    """Tests of service_of."""

    def test_selects_only_the_pods_of_the_job(self) -> None:
        """The Service selects pods by the UID of the Job, before they are ready, and the Job owns it."""
        service = service_of(stored(complete()))

        (owner,) = service["metadata"]["ownerReferences"]
        selector = {"batch.kubernetes.io/controller-uid": "u1"}
        assert owner == {"apiVersion": "batch/v1", "kind": "Job", "name": "train-1", "uid": "u1"}
        assert service["spec"] == {"clusterIP": "None", "selector": selector, "publishNotReadyAddresses": True}


class TestStartPatch:
    """Tests of start_patch."""

    def test_starts_the_unchanged_job(self) -> None:
        """The patch is rejected if the Job was changed or replaced."""
        assert start_patch(stored(as_incomplete(complete()))) == {
            "metadata": {"uid": "u1", "resourceVersion": "7", "annotations": {INCOMPLETE_ANNOTATION: None}},
            "spec": {"suspend": False},
        }

    def test_returns_the_job_to_its_queue(self) -> None:
        """The Job stays suspended until Kueue admits it."""
        patch = start_patch(stored(as_incomplete(complete(queue="gpus"))))

        assert (patch["metadata"]["labels"], "spec" in patch) == ({QUEUE: "gpus"}, False)
