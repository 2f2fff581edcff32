"""Multi-node Jobs: an Indexed Job whose pods find each other through a headless Service.

The Job owns the Service, so the creation has three steps:

1. Create the Job, suspended and with `INCOMPLETE_ANNOTATION` (`as_incomplete`).
2. Create the Service, with an owner reference to the Job (`service_of`).
3. Remove the annotation and start the Job, or return it to its queue (`start_patch`).

If the creation is interrupted, any request that finds the annotation can continue, because the Job contains everything
that the other steps need. The name of the Service is unique for each request, so it never conflicts with another
Service of the Project, nor with that of an earlier Job of the same name, which is garbage collected after its Job.
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
"""The default of torchrun."""
RANK_FIELD = f"metadata.annotations['{COMPLETION_INDEX_ANNOTATION}']"


def rendezvous_env(identity: JobIdentity, nodes: int) -> list[Manifest]:
    """Return the environment variables for torchrun: address and port of the first node, number of nodes, rank."""
    values: list[Manifest] = [
        {"value": f"{identity.name}-0.{identity.service}"},
        {"value": str(MASTER_PORT)},
        {"value": str(nodes)},
        {"valueFrom": {"fieldRef": {"fieldPath": RANK_FIELD}}},
    ]
    return [{"name": name, **value} for name, value in zip(RENDEZVOUS_VARIABLES, values * 2, strict=True)]


def as_incomplete(manifest: Manifest) -> Manifest:
    """Return the Job *manifest* for the first step: annotated, suspended, and without the queue that could start it."""
    metadata = manifest["metadata"]
    labels = {key: value for key, value in metadata["labels"].items() if key != QUEUE_LABEL}
    annotations = {**metadata["annotations"], INCOMPLETE_ANNOTATION: metadata["labels"].get(QUEUE_LABEL, "")}
    return {
        **manifest,
        "metadata": {**metadata, "labels": labels, "annotations": annotations},
        "spec": {**manifest["spec"], "suspend": True},
    }


def is_incomplete(job: Job) -> bool:
    """Return whether the creation of *job* has not finished."""
    return INCOMPLETE_ANNOTATION in job.metadata.annotations


def service_of(job: Job) -> Manifest:
    """Return the headless Service that gives the pods of *job* DNS names; *job* owns it."""
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
            # The pods must find each other before they are ready.
            "publishNotReadyAddresses": True,
        },
    }


def start_patch(job: Job) -> Manifest:
    """Return the merge patch that starts *job* or adds it to its queue, provided that the Job has not changed."""
    complete: Manifest = {"annotations": {INCOMPLETE_ANNOTATION: None}}
    queue = job.metadata.annotations.get(INCOMPLETE_ANNOTATION)
    if queue:
        return if_unchanged(job, {"metadata": {**complete, "labels": {QUEUE_LABEL: queue}}})
    return if_unchanged(job, {"metadata": complete, "spec": {"suspend": False}})
