"""What is shown of a Project."""

from __future__ import annotations

from chalicelib.domain.job.view import view
from chalicelib.domain.kubernetes.jobs import GPU, QUEUE_LABEL, JobSpec
from chalicelib.domain.kubernetes.quotas import Amounts, ResourceQuota
from chalicelib.domain.project import GPU_QUOTA, GpuUse, JobCounts, QuotaView, Tally, gpu_use, quota_views
from tests.support.builders import NOW, container, job, meta, pod, template


def quota(name: str, **hard: str) -> ResourceQuota:
    """A quota that allows *hard*, of which nothing is used."""
    return ResourceQuota(metadata=meta(name), status=Amounts(hard=hard, used=dict.fromkeys(hard, "0")))


def asking(suspend: bool = False) -> JobSpec:
    """A Job of two pods at once, with two GPUs each."""
    return JobSpec(parallelism=2, completions=4, suspend=suspend, template=template(container(gpus="2")))


class TestTally:
    """How a Project's Jobs stand."""

    def test_counts_pages_together(self) -> None:
        """Jobs that run, wait, or were suspended; GPUs of those that may run: one that is being deleted does not."""
        tally = Tally()
        running, waiting = job("runs", spec=asking()), job("waits", spec=asking())
        queued = job("queued", spec=asking(suspend=True), labels={QUEUE_LABEL: "gpus"})
        suspended = job("suspended", spec=asking(suspend=True))
        goes = job("goes", spec=asking(), deletion_timestamp=NOW)

        tally.add([view("team-a", running, [pod("Running", owner="uid-of-runs")]), view("team-a", waiting, [])])
        tally.add(view("team-a", one, []) for one in (queued, suspended, goes))

        assert (tally.jobs, tally.requested) == (JobCounts(running=1, pending=2, suspended=1), 12)


class TestGpuUse:
    """GPUs allowed, asked for, and held."""

    def test_pods_that_run_hold_theirs(self) -> None:
        """One that waits holds none yet."""
        pods = [pod("Running", containers=[container(gpus="2")]), pod("Pending", containers=[container(gpus="4")])]

        assert gpu_use([quota("room", **{GPU_QUOTA: "16"})], 6, pods) == GpuUse(16, 6, 2)

    def test_the_tightest_quota_counts(self) -> None:
        """All quotas of a namespace hold at once. Without one there is no limit: null, and not 0, for nothing."""
        quotas = [quota("wide", **{GPU_QUOTA: "16"}), quota("tight", **{GPU_QUOTA: "8"}), quota("other", pods="5")]

        assert gpu_use(quotas, 0, []).quota == 8
        assert [gpu_use(none, 0, []).quota for none in ([], quotas[2:])] == [None, None]


class TestQuotaViews:
    """The quotas themselves."""

    def test_are_shown_by_name_as_kubernetes_writes_them(self) -> None:
        """Quantities stay texts: `2k` is not ours to round."""
        views = quota_views([quota("b", **{f"requests.{GPU}": "8"}), quota("a", pods="2k")])

        assert views == [
            QuotaView("a", {"pods": "2k"}, {"pods": "0"}),
            QuotaView("b", {GPU_QUOTA: "8"}, {GPU_QUOTA: "0"}),
        ]
