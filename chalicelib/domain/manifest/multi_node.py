"""Multi-node Jobs: an Indexed Job whose pods find each other through a headless Service.

The Service belongs to the Job, so the Job comes first: suspended, under a mark that says that something is missing.
Then comes the Service, and one last change starts the Job and takes the mark away. Whoever finds the mark can go on
from there: nothing but the Job itself is needed. The Service has a name of its own for each request: it never meets
another Service of the Project, nor the one of an earlier Job of that name, which goes some moments after its Job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL, Manifest, if_unchanged
from chalicelib.domain.labels import (
    COMPLETION_INDEX_ANNOTATION,
    INCOMPLETE_ANNOTATION,
    JOB_UID_LABEL,
    MANAGED_BY_LABEL,
    MANAGED_BY_VALUE,
)
from chalicelib.domain.submission.reserved_variables import RENDEZVOUS_VARIABLES

if TYPE_CHECKING:
    from chalicelib.domain.kubernetes.jobs import Job
    from chalicelib.domain.submission.idempotency import JobIdentity

MASTER_PORT = 29500
"""torchrun's own default."""
RANK_FIELD = f"metadata.annotations['{COMPLETION_INDEX_ANNOTATION}']"


def rendezvous_env(identity: JobIdentity, nodes: int) -> list[Manifest]:
    """The variables that torchrun expects: where the first of the *nodes* is, how many there are, and which this is."""
    values: list[Manifest] = [
        {"value": f"{identity.name}-0.{identity.service}"},
        {"value": str(MASTER_PORT)},
        {"value": str(nodes)},
        {"valueFrom": {"fieldRef": {"fieldPath": RANK_FIELD}}},
    ]
    return [{"name": name, **value} for name, value in zip(RENDEZVOUS_VARIABLES, values * 2, strict=True)]


def as_incomplete(manifest: Manifest) -> Manifest:
    """The Job of *manifest* as it waits for its Service: marked and suspended, and in no queue that would start it."""
    metadata = manifest["metadata"]
    labels = {key: value for key, value in metadata["labels"].items() if key != QUEUE_LABEL}
    annotations = {**metadata["annotations"], INCOMPLETE_ANNOTATION: metadata["labels"].get(QUEUE_LABEL, "")}
    return {
        **manifest,
        "metadata": {**metadata, "labels": labels, "annotations": annotations},
        "spec": {**manifest["spec"], "suspend": True},
    }


def is_incomplete(job: Job) -> bool:
    """Whether *job* still waits for its Service."""
    return INCOMPLETE_ANNOTATION in job.metadata.annotations


def service_of(job: Job) -> Manifest:
    """The headless Service that gives the pods of *job* names, and goes with it."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job.metadata.name, "uid": job.metadata.uid}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": job.spec.template.spec.subdomain,
            "labels": {MANAGED_BY_LABEL: MANAGED_BY_VALUE},
            "ownerReferences": [owner],
        },
        "spec": {
            "clusterIP": "None",
            "selector": {JOB_UID_LABEL: job.metadata.uid},
            # The pods have to find each other before any of them is ready.
            "publishNotReadyAddresses": True,
        },
    }


def start_patch(job: Job) -> Manifest:
    """The merge patch that starts *job*, or lets its queue start it, if it is still as it was seen."""
    complete: Manifest = {"annotations": {INCOMPLETE_ANNOTATION: None}}
    queue = job.metadata.annotations.get(INCOMPLETE_ANNOTATION)
    if queue:
        return if_unchanged(job, {"metadata": {**complete, "labels": {QUEUE_LABEL: queue}}})
    return if_unchanged(job, {"metadata": complete, "spec": {"suspend": False}})
