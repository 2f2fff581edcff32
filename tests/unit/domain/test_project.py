"""Tests of the view of a Project."""

from __future__ import annotations

from chalicelib.domain.job.view import view
from chalicelib.domain.kubernetes.jobs import GPU, QUEUE_LABEL, JobSpec
from chalicelib.domain.kubernetes.quotas import Amounts, ResourceQuota
from chalicelib.domain.project import GPU_QUOTA, GpuUse, JobCounts, QuotaView, Tally, gpu_use, quota_views
from tests.support.builders import NOW, container, job, meta, pod, template


def quota(name: str, **hard: str) -> ResourceQuota:
    """Return a ResourceQuota with the limits *hard* and no usage."""
    return ResourceQuota(metadata=meta(name), status=Amounts(hard=hard, used=dict.fromkeys(hard, "0")))


def gpu_spec(suspend: bool = False) -> JobSpec:
    """Return the spec of a Job that runs two pods at the same time, with two GPUs each."""
    return JobSpec(parallelism=2, completions=4, suspend=suspend, template=template(container(gpus="2")))


class TestTally:
    """Tests of Tally."""

    def test_counts_all_pages(self) -> None:
        """Jobs are counted by status, and their GPUs unless they are suspended or being deleted."""
        tally = Tally()
        running, waiting = job("runs", spec=gpu_spec()), job("waits", spec=gpu_spec())
        queued = job("queued", spec=gpu_spec(suspend=True), labels={QUEUE_LABEL: "gpus"})
        suspended = job("suspended", spec=gpu_spec(suspend=True))
        deleted = job("deleted", spec=gpu_spec(), deletion_timestamp=NOW)

        tally.add([view("team-a", running, [pod("Running", owner="uid-of-runs")]), view("team-a", waiting, [])])
        tally.add(view("team-a", each, []) for each in (queued, suspended, deleted))

        assert (tally.jobs, tally.requested) == (JobCounts(running=1, pending=2, suspended=1), 12)


class TestGpuUse:
    """Tests of gpu_use."""

    def test_pods_on_nodes_use_gpus(self) -> None:
        """A pod without a node uses no GPUs yet, and one that has ended uses none any more."""
        places = (("Running", "n1"), ("Pending", None), ("Succeeded", "n1"))
        pods = [pod(phase, node=node, containers=[container(gpus="2")]) for phase, node in places]

        assert gpu_use([quota("gpus", **{GPU_QUOTA: "16"})], 6, pods) == GpuUse(16, 6, 2)

    def test_lowest_quota_is_the_limit(self) -> None:
        """All quotas of a namespace apply together. Without a quota for GPUs, the limit is null, not 0."""
        quotas = [quota("wide", **{GPU_QUOTA: "16"}), quota("tight", **{GPU_QUOTA: "8"}), quota("other", pods="5")]

        assert gpu_use(quotas, 0, []).quota == 8
        assert [gpu_use(each, 0, []).quota for each in ([], quotas[2:])] == [None, None]


class TestQuotaViews:
    """Tests of quota_views."""

    def test_sorted_by_name(self) -> None:
        """Quantities are returned as Kubernetes writes them."""
        views = quota_views([quota("b", **{f"requests.{GPU}": "8"}), quota("a", pods="2k")])

        assert views == [
            QuotaView("a", {"pods": "2k"}, {"pods": "0"}),
            QuotaView("b", {GPU_QUOTA: "8"}, {GPU_QUOTA: "0"}),
        ]
