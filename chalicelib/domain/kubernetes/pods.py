"""Pods, as the API server returns them; all fields are optional."""

from __future__ import annotations

import msgspec

from chalicelib.domain.kubernetes.jobs import Condition, Job, KubernetesObject, ListMeta, ObjectMeta, PodSpec, Time


class Waiting(KubernetesObject):
    """Why a container has not started."""

    reason: str | None = None
    message: str | None = None


class Running(KubernetesObject):
    """When a running container started."""

    started_at: Time | None = None


class Terminated(KubernetesObject):
    """How a container terminated."""

    exit_code: int | None = None
    reason: str | None = None
    message: str | None = None
    started_at: Time | None = None
    finished_at: Time | None = None


class ContainerState(KubernetesObject):
    """The state of a container: at most one field is set."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(KubernetesObject):
    """The status of a container."""

    name: str = ""
    restart_count: int | None = None
    image_id: str = msgspec.field(default="", name="imageID")
    state: ContainerState = msgspec.field(default_factory=ContainerState)
    last_state: ContainerState = msgspec.field(default_factory=ContainerState)


class PodStatus(KubernetesObject):
    """The status of a pod."""

    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    start_time: Time | None = None
    conditions: list[Condition] = []
    init_container_statuses: list[ContainerStatus] = []
    container_statuses: list[ContainerStatus] = []


class Pod(KubernetesObject):
    """A pod of a Job."""

    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)

    @property
    def has_ended(self) -> bool:
        """Whether no container of the pod will run any more."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def is_deleted(self) -> bool:
        """Whether the deletion of the pod was requested."""
        return self.metadata.deletion_timestamp is not None

    @property
    def is_ending(self) -> bool:
        """Whether the pod is being deleted, but still has its resources."""
        return self.is_deleted and not self.has_ended

    @property
    def is_active(self) -> bool:
        """Whether the pod is waiting, starting or running, and will not be replaced."""
        return not self.has_ended and not self.is_ending

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of the type *kind*, or None."""
        return next((condition for condition in self.status.conditions if condition.type == kind), None)

    def is_of(self, job: Job) -> bool:
        """Return whether *job* owns the pod, by UID: an earlier Job may have had the same name."""
        return any(owner.uid == job.metadata.uid for owner in self.metadata.owner_references)


class PodList(KubernetesObject):
    """A page of pods."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[Pod] = []
