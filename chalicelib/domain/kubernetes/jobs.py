"""Jobs and namespaces, as the API server returns them.

Field names are those of the Kubernetes API (https://kubernetes.io/docs/reference/kubernetes-api/). All fields are
optional, because one malformed object must not break a list. msgspec skips fields that are not declared here, such as
`managedFields`, which is half the size of a Job.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""A timestamp with a time zone; one without could not be compared with the clock."""

Manifest = dict[str, Any]
"""A Kubernetes object as it is sent to the API server: the only untyped dict that crosses layers."""

GPU = "nvidia.com/gpu"
NODE_TYPE = "node.kubernetes.io/instance-type"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
INDEXED = "Indexed"
"""The completion mode of a Job whose pods have completion indexes."""


TTL_MARGIN_SECONDS = 86400
"""From a Job's retention to its `ttlSecondsAfterFinished`, so that the cleanup stores a Receipt before the TTL ends."""


class KubernetesObject(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """The base class of objects from the cluster: camelCase field names, unknown fields are skipped."""


class OwnerReference(KubernetesObject):
    """A reference to the owner of an object."""

    uid: str = ""


class ObjectMeta(KubernetesObject):
    """The metadata of an object."""

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
    def is_true(self) -> bool:
        """Whether the condition is true now."""
        return self.status == "True"


class ResourceRequirements(KubernetesObject):
    """The resource limits of a container; quantities are strings or numbers."""

    limits: dict[str, str | int | float] = {}


class Container(KubernetesObject):
    """One container of a pod template."""

    name: str = ""
    image: str = ""
    restart_policy: str | None = None
    """`Always` on an init container makes it a native sidecar."""
    resources: ResourceRequirements = msgspec.field(default_factory=ResourceRequirements)


class PodSpec(KubernetesObject):
    """The specification of a pod."""

    node_name: str | None = None
    init_containers: list[Container] = []
    subdomain: str = ""
    containers: list[Container] = []


class PodTemplate(KubernetesObject):
    """The template for the pods of a Job."""

    spec: PodSpec = msgspec.field(default_factory=PodSpec)


class LabelSelector(KubernetesObject):
    """The selector for the pods of a Job; it selects by the UID of the Job unless `manualSelector` is set."""

    match_labels: dict[str, str] = {}


class PodFailureRule(KubernetesObject):
    """What the Job controller does about pods that fail in one way."""

    action: str = ""


class PodFailurePolicy(KubernetesObject):
    """The policy for failed pods of a Job."""

    rules: list[PodFailureRule] = []

    @property
    def ignores_failures(self) -> bool:
        """Whether pods can fail without being counted."""
        return any(rule.action == "Ignore" for rule in self.rules)


class JobSpec(KubernetesObject):
    """The specification of a Job."""

    parallelism: int | None = None
    completions: int | None = None
    completion_mode: str | None = None
    suspend: bool | None = None
    manual_selector: bool | None = None
    managed_by: str | None = None
    """The controller that creates the pods, if that is not the Job controller of Kubernetes."""
    ttl_seconds_after_finished: int | None = None
    pod_failure_policy: PodFailurePolicy = msgspec.field(default_factory=PodFailurePolicy)
    selector: LabelSelector = msgspec.field(default_factory=LabelSelector)
    template: PodTemplate = msgspec.field(default_factory=PodTemplate)


class JobStatus(KubernetesObject):
    """The status of a Job."""

    active: int | None = None
    terminating: int | None = None
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
        """The condition `Complete` or `Failed`, or None if the Job has not finished."""
        for condition in self.status.conditions:
            if condition.type in ("Complete", "Failed") and condition.is_true:
                return condition
        return None

    @property
    def ending(self) -> Condition | None:
        """The condition that decides how the Job will end while its last pods terminate, or None."""
        if self.finished:
            return None
        decided = (each for each in self.status.conditions if each.type in ("FailureTarget", "SuccessCriteriaMet"))
        return next((condition for condition in decided if condition.is_true), None)

    @property
    def outcome(self) -> Literal["Succeeded", "Failed"] | None:
        """How the Job ended, or None if it has not finished."""
        condition = self.finished
        if condition is None:
            return None
        return "Succeeded" if condition.type == "Complete" else "Failed"

    @property
    def finished_at(self) -> datetime | None:
        """When the Job finished; a failed Job has no `completionTime`, so its condition has the time."""
        condition = self.finished
        return (self.status.completion_time or condition.last_transition_time) if condition else None


class ListMeta(KubernetesObject):
    """The metadata of a list: the token to continue it."""

    continue_: str | None = msgspec.field(default=None, name="continue")


class JobList(KubernetesObject):
    """A page of Jobs."""

    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    items: list[Job] = []


class Namespace(KubernetesObject):
    """A namespace; with the label of a Project it is one."""

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
    """Return *fields* without unset ones, for which Kubernetes uses its defaults."""
    return {name: value for name, value in fields.items() if value is not None}
