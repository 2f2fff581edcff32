"""The fields we read of the cluster's objects. Everything is optional: an odd object must never break a list.

Field names are those of the Kubernetes API (https://kubernetes.io/docs/reference/kubernetes-api/);
msgspec skips what is not named here, above all `managedFields`, which is half of a Job.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations at run time
from typing import Any, Literal

import msgspec

Manifest = dict[str, Any]
"""A Kubernetes object as it is sent: the one bare dict that crosses layers."""

GPU = "nvidia.com/gpu"
NODE_TYPE = "node.kubernetes.io/instance-type"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
INDEXED = "Indexed"
"""The completion mode of a Job whose pods are numbered."""


class _Object(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """Shared options: camelCase on the wire, unknown fields skipped."""


class OwnerReference(_Object):
    """Who made an object."""

    uid: str = ""


class ObjectMeta(_Object):
    """An object's identity and marks."""

    name: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[OwnerReference] = []


class Condition(_Object):
    """One condition of a Job or a Pod."""

    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None
    last_transition_time: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether the condition is true now."""
        return self.status == "True"


class ResourceRequirements(_Object):
    """What a container may use at most; quantities as text or number."""

    limits: dict[str, str | int | float] = {}


class Container(_Object):
    """One container of a pod template."""

    name: str = ""
    image: str = ""
    resources: ResourceRequirements = msgspec.field(default_factory=ResourceRequirements)


class PodSpec(_Object):
    """What a pod runs and where."""

    node_name: str | None = None
    init_containers: list[Container] = []
    subdomain: str = ""
    containers: list[Container] = []


class PodTemplate(_Object):
    """What a Job's pods are made from."""

    spec: PodSpec = msgspec.field(default_factory=PodSpec)


class JobSpec(_Object):
    """What a Job asks for."""

    parallelism: int | None = None
    completions: int | None = None
    completion_mode: str | None = None
    suspend: bool | None = None
    template: PodTemplate = msgspec.field(default_factory=PodTemplate)


class JobStatus(_Object):
    """What became of a Job so far."""

    active: int | None = None
    ready: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    completed_indexes: str | None = None
    failed_indexes: str | None = None
    start_time: datetime | None = None
    completion_time: datetime | None = None
    conditions: list[Condition] = []


class Job(_Object):
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


class ListMeta(_Object):
    """Where a list stops."""

    continue_: str | None = msgspec.field(default=None, name="continue")


class JobList(_Object):
    """A page of Jobs."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[Job] = []


class Waiting(_Object):
    """Why a container has not started."""

    reason: str | None = None
    message: str | None = None


class Running(_Object):
    """Since when a container runs."""

    started_at: datetime | None = None


class Terminated(_Object):
    """How a container ended."""

    exit_code: int | None = None
    reason: str | None = None
    message: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ContainerState(_Object):
    """Exactly one of these is set, or none yet."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(_Object):
    """The state of one container."""

    name: str = ""
    restart_count: int | None = None
    image_id: str = msgspec.field(default="", name="imageID")
    state: ContainerState = msgspec.field(default_factory=ContainerState)
    last_state: ContainerState = msgspec.field(default_factory=ContainerState)


class PodStatus(_Object):
    """The state of a pod."""

    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    start_time: datetime | None = None
    conditions: list[Condition] = []
    init_container_statuses: list[ContainerStatus] = []
    container_statuses: list[ContainerStatus] = []


class Pod(_Object):
    """A pod of a Job."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)

    def is_of(self, job: Job) -> bool:
        """Whether *job* made it, and not another of the same name."""
        return any(owner.uid == job.metadata.uid for owner in self.metadata.owner_references)


class PodList(_Object):
    """Pods of one or more Jobs."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[Pod] = []


class Namespace(_Object):
    """A namespace, which is a Project when it is labelled so."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)


class NamespaceList(_Object):
    """A page of namespaces."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[Namespace] = []


class StatusCause(_Object):
    """One field the cluster refuses."""

    field: str | None = None
    message: str | None = None


class StatusDetails(_Object):
    """What a refusal is about."""

    causes: list[StatusCause] = []


class Status(_Object):
    """The cluster's own error document."""

    reason: str | None = None
    message: str | None = None
    details: StatusDetails | None = None


def without_none(fields: Manifest) -> Manifest:
    """*fields* without those that are not set, which Kubernetes then gives their defaults."""
    return {name: value for name, value in fields.items() if value is not None}
