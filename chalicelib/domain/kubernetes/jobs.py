"""The fields we read of the cluster's objects. Everything is optional: an odd object must never break a list.

Field names are those of the Kubernetes API (https://kubernetes.io/docs/reference/kubernetes-api/);
msgspec skips what is not named here, above all `managedFields`, which is half of a Job.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time as the cluster writes it, in UTC; one without a time zone could not be compared with ours."""

Manifest = dict[str, Any]
"""A Kubernetes object as it is sent: the one bare dict that crosses layers."""

GPU = "nvidia.com/gpu"
NODE_TYPE = "node.kubernetes.io/instance-type"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
INDEXED = "Indexed"
"""The completion mode of a Job whose pods are numbered."""


TTL_MARGIN_SECONDS = 86400
"""From a Job's retention to its `ttlSecondsAfterFinished`, so that the cleanup stores a Receipt before the TTL ends."""


class KubernetesObject(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """What we read of the cluster: camelCase on the wire, unknown fields skipped."""


class OwnerReference(KubernetesObject):
    """Who made an object."""

    uid: str = ""


class ObjectMeta(KubernetesObject):
    """An object's identity and marks."""

    name: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[OwnerReference] = []


class Condition(KubernetesObject):
    """One condition of a Job or a Pod."""

    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    last_transition_time: Time | None = None

    @property
    def holds(self) -> bool:
        """Whether the condition is true now."""
        return self.status == "True"


class ResourceRequirements(KubernetesObject):
    """What a container may use at most; quantities as text or number."""

    limits: dict[str, str | int | float] = {}


class Container(KubernetesObject):
    """One container of a pod template."""

    name: str = ""
    image: str = ""
    resources: ResourceRequirements = msgspec.field(default_factory=ResourceRequirements)


class PodSpec(KubernetesObject):
    """What a pod runs and where."""

    node_name: str | None = None
    init_containers: list[Container] = []
    subdomain: str = ""
    containers: list[Container] = []


class PodTemplate(KubernetesObject):
    """What a Job's pods are made from."""

    spec: PodSpec = msgspec.field(default_factory=PodSpec)


class LabelSelector(KubernetesObject):
    """Which pods belong to a Job; only a Job with `manualSelector` has another than that of its uid."""

    match_labels: dict[str, str] = {}


class JobSpec(KubernetesObject):
    """What a Job asks for."""

    parallelism: int | None = None
    completions: int | None = None
    completion_mode: str | None = None
    suspend: bool | None = None
    manual_selector: bool | None = None
    ttl_seconds_after_finished: int | None = None
    selector: LabelSelector = msgspec.field(default_factory=LabelSelector)
    template: PodTemplate = msgspec.field(default_factory=PodTemplate)


class JobStatus(KubernetesObject):
    """What became of a Job so far."""

    active: int | None = None
    ready: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    completed_indexes: str | None = None
    failed_indexes: str | None = None
    start_time: Time | None = None
    completion_time: Time | None = None
    conditions: list[Condition] = []


class Job(KubernetesObject):
    """A batch/v1 Job."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: JobSpec = msgspec.field(default_factory=JobSpec)
    status: JobStatus = msgspec.field(default_factory=JobStatus)

    @property
    def finished(self) -> Condition | None:
        """The condition that ended the Job, or None while it may still run."""
        for condition in self.status.conditions:
            if condition.type in ("Complete", "Failed") and condition.holds:
                return condition
        return None

    @property
    def outcome(self) -> Literal["Succeeded", "Failed"] | None:
        """How the Job ended, or None while it may still run."""
        end = self.finished
        if end is None:
            return None
        return "Succeeded" if end.type == "Complete" else "Failed"

    @property
    def finished_at(self) -> datetime | None:
        """When the Job ended; only one that completed has a time of its own."""
        end = self.finished
        return (self.status.completion_time or end.last_transition_time) if end else None


class ListMeta(KubernetesObject):
    """Where a list stops."""

    continue_: str | None = msgspec.field(default=None, name="continue")


class JobList(KubernetesObject):
    """A page of Jobs."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[Job] = []


class Namespace(KubernetesObject):
    """A namespace, which is a Project when it is labelled so."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


class NamespaceList(KubernetesObject):
    """A page of namespaces."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[Namespace] = []


def if_unchanged(job: Job, patch: Manifest) -> Manifest:
    """Return the merge patch *patch* with preconditions: a conflict (409) if *job* is not as it was read."""
    preconditions = {"uid": job.metadata.uid, "resourceVersion": job.metadata.resource_version}
    return {**patch, "metadata": {**patch.get("metadata", {}), **preconditions}}


def without_none(fields: Manifest) -> Manifest:
    """*fields* without those that are not set, which Kubernetes then gives their defaults."""
    return {name: value for name, value in fields.items() if value is not None}
