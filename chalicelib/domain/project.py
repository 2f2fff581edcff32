"""The view of a Project: its quotas, its GPU usage and the number of Jobs in each status."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import msgspec

from chalicelib.domain.job.view import MAX_COUNT, Count, Milliseconds, gpus_of
from chalicelib.domain.kubernetes.jobs import GPU
from chalicelib.domain.kubernetes.quantities import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chalicelib.domain.job.view import JobView
    from chalicelib.domain.kubernetes.pods import Pod
    from chalicelib.domain.kubernetes.quotas import ResourceQuota


PENDING = ("Pending", "Queued", "ContainerCreating")
REQUESTING = (*PENDING, "Running", "Unknown")
"""Statuses of Jobs that request GPUs now; suspended, terminating and finished Jobs request none."""
GPU_QUOTA = f"requests.{GPU}"


class QuotaView(msgspec.Struct, frozen=True):
    """A ResourceQuota: for each resource the limit and the usage, as Kubernetes quantities."""

    name: Annotated[str, msgspec.Meta(description="The name of the ResourceQuota.")]
    hard: Annotated[dict[str, str], msgspec.Meta(description="The limit of each resource.")]
    used: Annotated[dict[str, str], msgspec.Meta(description="The usage of each resource.")]


class GpuUse(msgspec.Struct, frozen=True):
    """GPUs: the limit of the tightest quota (null: no quota), requests of unfinished Jobs, GPUs of running pods."""

    quota: Annotated[Count | None, msgspec.Meta(description="The limit of the tightest quota, or null.")]
    requested: Annotated[Count, msgspec.Meta(description="GPUs that unfinished Jobs request.")]
    allocated: Annotated[Count, msgspec.Meta(description="GPUs of running pods.")]


class JobCounts(msgspec.Struct, frozen=True):
    """How many unfinished Jobs are running, pending (also queued, or creating their container) or suspended."""

    running: Annotated[Count, msgspec.Meta(description="Jobs that are running.")]
    pending: Annotated[Count, msgspec.Meta(description="Jobs that are pending, queued or creating a container.")]
    suspended: Annotated[Count, msgspec.Meta(description="Suspended Jobs.")]


class ProjectDetail(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A Project; `verbs` are the Kubernetes verbs that the caller may use on its Jobs."""

    name: Annotated[str, msgspec.Meta(description="The name of the Project.")]
    namespace: Annotated[str, msgspec.Meta(description="Its namespace in the cluster.")]
    created_at: Annotated[Milliseconds, msgspec.Meta(description="When it was created.")]
    verbs: Annotated[list[str], msgspec.Meta(description="The Kubernetes verbs that you may use on its Jobs.")]
    gpus: Annotated[GpuUse, msgspec.Meta(description="Its GPUs.")]
    jobs: Annotated[JobCounts, msgspec.Meta(description="The number of its unfinished Jobs.")]
    quotas: Annotated[list[QuotaView], msgspec.Meta(description="Its ResourceQuotas.")]
    complete: Annotated[bool, msgspec.Meta(description="False if there are more Jobs or pods than were counted.")]


class Tally:
    """Counters over the Jobs of a Project, updated page by page."""

    def __init__(self) -> None:
        self._statuses: Counter[str] = Counter()
        self.requested = 0

    def add(self, views: Iterable[JobView]) -> None:
        """Add *views* to the counters."""
        for view in views:
            self._statuses[view.status] += 1
            self.requested += view.requested_gpus if view.status in REQUESTING else 0

    @property
    def jobs(self) -> JobCounts:
        """The number of Jobs in each status."""
        pending = sum(self._statuses[status] for status in PENDING)
        return JobCounts(self._statuses["Running"], pending, self._statuses["Suspended"])


def quota_views(quotas: Iterable[ResourceQuota]) -> list[QuotaView]:
    """Return the views of *quotas*, sorted by name."""
    views = (QuotaView(quota.metadata.name, quota.status.hard, quota.status.used) for quota in quotas)
    return sorted(views, key=lambda view: view.name)


def gpu_use(quotas: Iterable[ResourceQuota], requested: int, pods: Sequence[Pod]) -> GpuUse:
    """Return the GPUs that *quotas* allow, that are *requested*, and that *pods* use, also those of deleted Jobs."""
    limits = [amount(quota.status.hard[GPU_QUOTA]) for quota in quotas if GPU_QUOTA in quota.status.hard]
    scheduled = (pod for pod in pods if pod.spec.node_name and not pod.has_ended)
    return GpuUse(
        min(limits, default=None), min(requested, MAX_COUNT), sum(gpus_of(pod.spec.containers) for pod in scheduled)
    )
