"""A multi-node Job is made whole, or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.errors import ClusterUnavailable, Forbidden, JobBeingDeleted, QuotaExceeded
from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from chalicelib.domain.submission.idempotency import UniqueRequest
from chalicelib.usecases.complete_multi_node import ATTEMPTS
from chalicelib.usecases.submit_job import Submitted, submit_job
from tests.support.builders import ALICE, TEAM_A, job, submission
from tests.support.fakes import FakeJobs, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.kubernetes.jobs import Job

QUEUE = "kueue.x-k8s.io/queue-name"


class DiedError(BaseException):
    """The Lambda ended here: nothing after it is done."""


def die() -> None:
    """A seam: ends the Lambda."""
    raise DiedError


def submitted(jobs: FakeJobs, nonce: str = "nonce", **fields: object) -> Submitted:
    """What becomes of the submission of a Job on two nodes."""
    return submit_job(submission(name="train-1", nodes=2, **fields), UniqueRequest(nonce), ALICE, jobs)


def stored(jobs: FakeJobs) -> Job:
    """The Job as the cluster has it."""
    return jobs.jobs[TEAM_A, "train-1"]


def is_whole(jobs: FakeJobs) -> bool:
    """Whether the Job runs, and its one Service bears the name that its pods know."""
    found = stored(jobs)
    service = found.spec.template.spec.subdomain
    unmarked = INCOMPLETE_ANNOTATION not in found.metadata.annotations
    return unmarked and not found.spec.suspend and [*jobs.services] == [(TEAM_A, service)]


def is_suspended(jobs: FakeJobs) -> bool:
    """Whether the Job waits, marked, and takes no GPU."""
    found = stored(jobs)
    return INCOMPLETE_ANNOTATION in found.metadata.annotations and found.spec.suspend is True


def changed_by_the_cluster(jobs: FakeJobs) -> Callable[[], None]:
    """A seam: the cluster writes the Job's status."""

    def change() -> None:
        stored(jobs).metadata.resource_version += "0"

    return change


class TestCompleted:
    """All goes well."""

    def test_pods_start_after_the_service_is_there(self, jobs: FakeJobs) -> None:
        """The Job comes suspended: at no time does a pod run that cannot be found. The answer shows it as it runs."""
        seen: list[bool] = []
        jobs.before("create_service", lambda: seen.append(is_suspended(jobs)))
        jobs.before("patch", lambda: seen.append(is_suspended(jobs)))

        found = submitted(jobs)

        assert seen == [True, True]
        assert is_whole(jobs)
        assert (found.job.status, found.replayed) == ("Pending", False)

    def test_queue_starts_the_job(self, jobs: FakeJobs) -> None:
        """It goes into its queue with the last step, and stays suspended until it is let out."""
        found = submitted(jobs, queue="gpus")

        assert (found.job.status, stored(jobs).metadata.labels[QUEUE]) == ("Queued", "gpus")

    def test_256_deliveries_at_once_make_one(self, jobs: FakeJobs) -> None:
        """Whoever comes first, and whoever completes it."""
        with ThreadPoolExecutor(16) as pool:
            found = list(pool.map(lambda nonce: submitted(jobs, nonce=str(nonce)), range(256)))

        assert is_whole(jobs)
        assert [one.replayed for one in found].count(False) == 1

    def test_job_that_the_cluster_writes_to_meanwhile(self, jobs: FakeJobs) -> None:
        """Its status changes at once: we look again, and start it."""
        jobs.before("patch", *[changed_by_the_cluster(jobs)] * (ATTEMPTS - 1))

        submitted(jobs)

        assert is_whole(jobs)

    def test_job_that_another_delivery_completes_meanwhile(self, jobs: FakeJobs) -> None:
        """Both are answered with it."""

        def complete() -> None:
            submitted(jobs, nonce="other")

        jobs.before("patch", complete)

        submitted(jobs)

        assert is_whole(jobs)

    def test_one_that_its_owner_suspends_stays_suspended(self, jobs: FakeJobs) -> None:
        """A replay completes what is half made, and starts nothing else."""
        submitted(jobs)
        stored(jobs).spec.suspend = True

        found = submitted(jobs, nonce="other")

        assert (found.replayed, found.job.status) == (True, "Suspended")


class TestBrokenOff:
    """Something fails between two steps."""

    @pytest.mark.parametrize("step", ["create_service", "patch"])
    def test_after_a_crash_the_same_request_completes_it(self, jobs: FakeJobs, step: str) -> None:
        """Meanwhile it waits, suspended, and takes no GPU."""
        jobs.before(step, die)
        with pytest.raises(DiedError):
            submitted(jobs)
        waited = is_suspended(jobs)

        found = submitted(jobs, nonce="other")

        assert (waited, found.replayed, is_whole(jobs)) == (True, True, True)

    @pytest.mark.parametrize("step", ["create_service", "patch"])
    @pytest.mark.parametrize("error", [Forbidden("No."), QuotaExceeded("No."), ClusterUnavailable("Later.")])
    def test_a_refusal_leaves_nothing(self, jobs: FakeJobs, step: str, error: Exception) -> None:
        """What was made is taken back, and the Service goes with its Job."""
        jobs.before(step, raising(error))

        with pytest.raises(type(error)):
            submitted(jobs)

        assert jobs.jobs == {}

    @pytest.mark.parametrize("times", [1, ATTEMPTS - 1])
    def test_a_refusal_leaves_nothing_while_the_cluster_writes(self, jobs: FakeJobs, times: int) -> None:
        """The Job controller writes the Job's status at that time: the deletion is sent again for the new version."""
        jobs.before("create_service", raising(QuotaExceeded("No room.")))
        jobs.before("delete", *[changed_by_the_cluster(jobs)] * times)

        with pytest.raises(QuotaExceeded):
            submitted(jobs)

        assert jobs.jobs == {}

    @pytest.mark.parametrize("step", ["find", "delete"])
    def test_what_cannot_be_taken_back_waits(self, jobs: FakeJobs, step: str) -> None:
        """The caller reads why it failed, and the same request completes it."""
        jobs.before("create_service", raising(QuotaExceeded("No room.")))
        jobs.before(step, raising(ClusterUnavailable("Later.")))
        with pytest.raises(QuotaExceeded):
            submitted(jobs)
        waited = is_suspended(jobs)

        submitted(jobs, nonce="other")

        assert (waited, is_whole(jobs)) == (True, True)

    def test_one_that_another_delivery_completed_is_not_taken_back(self, jobs: FakeJobs) -> None:
        """Our own failure is not its."""

        def fail_after_the_other() -> None:
            submitted(jobs, nonce="other")
            raise ClusterUnavailable("Later.")

        jobs.before("create_service", fail_after_the_other)

        with pytest.raises(ClusterUnavailable):
            submitted(jobs)

        assert is_whole(jobs)

    def test_one_that_never_rests_or_is_deleted(self, jobs: FakeJobs) -> None:
        """Given up and taken back; or told: whoever deleted it meant it."""
        jobs.before("patch", *[changed_by_the_cluster(jobs)] * ATTEMPTS, jobs.jobs.clear)

        with pytest.raises(ClusterUnavailable, match="same request"):
            submitted(jobs)
        assert jobs.jobs == {}
        with pytest.raises(JobBeingDeleted):
            submitted(jobs)
        assert jobs.jobs == {}

    def test_another_job_of_its_name_is_left_alone(self, jobs: FakeJobs) -> None:
        """Deleted meanwhile, and the name given to another: that one is neither started nor deleted."""
        other = job("train-1", annotations={INCOMPLETE_ANNOTATION: ""})
        jobs.before("patch", lambda: jobs.hold(TEAM_A, other))

        with pytest.raises(JobBeingDeleted):
            submitted(jobs)

        assert stored(jobs) == other
