"""The fields we read of pods, optional like those of every object of the cluster."""

from __future__ import annotations

import msgspec

from chalicelib.domain.kubernetes.jobs import Condition, Job, KubernetesObject, ListMeta, ObjectMeta, PodSpec, Time


class Waiting(KubernetesObject):
    """Why a container has not started."""

    reason: str | None = None
    message: str | None = None


class Running(KubernetesObject):
    """Since when a container runs."""

    started_at: Time | None = None


class Terminated(KubernetesObject):
    """How a container ended."""

    exit_code: int | None = None
    reason: str | None = None
    message: str | None = None
    started_at: Time | None = None
    finished_at: Time | None = None


class ContainerState(KubernetesObject):
    """Exactly one of these is set, or none yet."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(KubernetesObject):
    """The state of one container."""

    name: str = ""
    restart_count: int | None = None
    image_id: str = msgspec.field(default="", name="imageID")
    state: ContainerState = msgspec.field(default_factory=ContainerState)
    last_state: ContainerState = msgspec.field(default_factory=ContainerState)


class PodStatus(KubernetesObject):
    """The state of a pod."""

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

    def is_of(self, job: Job) -> bool:
        """Whether *job* made it, and not another of the same name."""
        return any(owner.uid == job.metadata.uid for owner in self.metadata.owner_references)


class PodList(KubernetesObject):
    """Pods of one or more Jobs."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[Pod] = []
