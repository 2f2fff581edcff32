"""The view of a Project: its quotas, its use of GPUs and the number of Jobs in each status."""

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
"""Of Jobs whose GPUs are asked for now; suspended ones and those that end ask for none."""
GPU_QUOTA = f"requests.{GPU}"


class QuotaView(msgspec.Struct, frozen=True):
    """One ResourceQuota: by resource what is allowed and what is used, as Kubernetes writes quantities."""

    name: str
    hard: dict[str, str]
    used: dict[str, str]


class GpuUse(msgspec.Struct, frozen=True):
    """GPUs: what the tightest quota allows (null: no quota), what unfinished Jobs ask for, and what pods hold."""

    quota: Count | None
    requested: Count
    allocated: Count


class JobCounts(msgspec.Struct, frozen=True):
    """How many unfinished Jobs run, wait (also in a queue, or for their image), or are suspended."""

    running: Count
    pending: Count
    suspended: Count


class ProjectDetail(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A Project as one caller sees it; `verbs` is what the caller may do with its Jobs."""

    name: str
    namespace: str
    created_at: Milliseconds
    verbs: list[str]
    gpus: GpuUse
    jobs: JobCounts
    quotas: list[QuotaView]
    complete: Annotated[bool, msgspec.Meta(description="False when there are more Jobs or pods than were counted.")]


class Tally:
    """Adds up the views of a Project's Jobs, page by page."""

    def __init__(self) -> None:
        self._statuses: Counter[str] = Counter()
        self.requested = 0

    def add(self, views: Iterable[JobView]) -> None:
        """Counts *views*, too."""
        for view in views:
            self._statuses[view.status] += 1
            self.requested += view.requested_gpus if view.status in REQUESTING else 0

    @property
    def jobs(self) -> JobCounts:
        """How many were where."""
        pending = sum(self._statuses[status] for status in PENDING)
        return JobCounts(self._statuses["Running"], pending, self._statuses["Suspended"])


def quota_views(quotas: Iterable[ResourceQuota]) -> list[QuotaView]:
    """The views of *quotas*, by name."""
    views = (QuotaView(one.metadata.name, one.status.hard, one.status.used) for one in quotas)
    return sorted(views, key=lambda one: one.name)


def gpu_use(quotas: Iterable[ResourceQuota], requested: int, pods: Sequence[Pod]) -> GpuUse:
    """The GPUs that *quotas* allow, that are *requested*, and that *pods* hold, also of Jobs that are being deleted."""
    limits = [amount(one.status.hard[GPU_QUOTA]) for one in quotas if GPU_QUOTA in one.status.hard]
    running = (pod for pod in pods if pod.status.phase == "Running")
    return GpuUse(
        min(limits, default=None), min(requested, MAX_COUNT), sum(gpus_of(pod.spec.containers) for pod in running)
    )
