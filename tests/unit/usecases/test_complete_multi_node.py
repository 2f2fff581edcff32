"""A multi-node Job is created completely, or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.errors import ClusterUnavailable, Forbidden, JobBeingDeleted, QuotaExceeded
from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from chalicelib.domain.submission.deduplication_key import UniqueRequest
from chalicelib.usecases.complete_multi_node import ATTEMPTS
from chalicelib.usecases.submit_job import Submitted, submit_job
from tests.support.builders import ALICE, TEAM_A, job, submission
from tests.support.fakes import FakeJobs, raising

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.domain.kubernetes.jobs import Job

QUEUE = "kueue.x-k8s.io/queue-name"


class LambdaEndedError(BaseException):
    """The Lambda ended at this point."""


def end_lambda() -> None:
    """Raise LambdaEndedError."""
    raise LambdaEndedError


def submit(jobs: FakeJobs, nonce: str = "nonce", **fields: object) -> Submitted:
    """Submit a Job with two nodes."""
    return submit_job(submission(name="train-1", nodes=2, **fields), UniqueRequest(nonce), ALICE, jobs)


def stored(jobs: FakeJobs) -> Job:
    """Return the Job as stored in the cluster."""
    return jobs.jobs[TEAM_A, "train-1"]


def is_complete(jobs: FakeJobs) -> bool:
    """Return whether the Job is started, and its one Service has the name that its pods use."""
    found = stored(jobs)
    service = found.spec.template.spec.subdomain
    unmarked = INCOMPLETE_ANNOTATION not in found.metadata.annotations
    return unmarked and not found.spec.suspend and [*jobs.services] == [(TEAM_A, service)]


def is_waiting(jobs: FakeJobs) -> bool:
    """Return whether the Job is incomplete and suspended."""
    found = stored(jobs)
    return INCOMPLETE_ANNOTATION in found.metadata.annotations and found.spec.suspend is True


def status_update(jobs: FakeJobs) -> Callable[[], None]:
    """Return a function that updates the Job's status as the cluster does."""

    def change() -> None:
        stored(jobs).metadata.resource_version += "0"

    return change


class TestComplete:
    """Creation without failures."""

    def test_pods_start_after_the_service_exists(self, jobs: FakeJobs) -> None:
        """The Job is suspended until the Service exists. The response shows the started Job."""
        seen: list[bool] = []
        jobs.before("create_service", lambda: seen.append(is_waiting(jobs)))
        jobs.before("patch", lambda: seen.append(is_waiting(jobs)))

        found = submit(jobs)

        assert seen == [True, True]
        assert is_complete(jobs)
        assert (found.job.status, found.replayed) == ("Pending", False)

    def test_queue_label_is_set_last(self, jobs: FakeJobs) -> None:
        """The Job is added to its queue with the last step, and stays suspended until the queue admits it."""
        found = submit(jobs, queue="gpus")

        assert (found.job.status, stored(jobs).metadata.labels[QUEUE]) == ("Queued", "gpus")

    def test_256_concurrent_deliveries_create_one_job(self, jobs: FakeJobs) -> None:
        """Any of them may create it, and any may complete it."""
        with ThreadPoolExecutor(16) as pool:
            found = list(pool.map(lambda nonce: submit(jobs, nonce=str(nonce)), range(256)))

        assert is_complete(jobs)
        assert [result.replayed for result in found].count(False) == 1

    def test_conflict_with_a_status_update(self, jobs: FakeJobs) -> None:
        """The Job is read again, and started."""
        jobs.before("patch", *[status_update(jobs)] * (ATTEMPTS - 1))

        submit(jobs)

        assert is_complete(jobs)

    def test_concurrent_delivery_completes_the_job(self, jobs: FakeJobs) -> None:
        """Both deliveries return it."""

        def complete() -> None:
            submit(jobs, nonce="other")

        jobs.before("patch", complete)

        submit(jobs)

        assert is_complete(jobs)

    def test_complete_job_is_not_started_again(self, jobs: FakeJobs) -> None:
        """A replay completes an incomplete Job, and does not resume a suspended one."""
        submit(jobs)
        stored(jobs).spec.suspend = True

        found = submit(jobs, nonce="other")

        assert (found.replayed, found.job.status) == (True, "Suspended")


class TestInterrupted:
    """A failure between two steps."""

    @pytest.mark.parametrize("step", ["create_service", "patch"])
    def test_after_a_crash_the_same_request_completes_it(self, jobs: FakeJobs, step: str) -> None:
        """Until then the Job is suspended, and holds no GPU."""
        jobs.before(step, end_lambda)
        with pytest.raises(LambdaEndedError):
            submit(jobs)
        was_waiting = is_waiting(jobs)

        found = submit(jobs, nonce="other")

        assert (was_waiting, found.replayed, is_complete(jobs)) == (True, True, True)

    @pytest.mark.parametrize("step", ["create_service", "patch"])
    @pytest.mark.parametrize("error", [Forbidden("No."), QuotaExceeded("No."), ClusterUnavailable("Later.")])
    def test_error_deletes_the_job(self, jobs: FakeJobs, step: str, error: Exception) -> None:
        """The Job is deleted, and its Service with it."""
        jobs.before(step, raising(error))

        with pytest.raises(type(error)):
            submit(jobs)

        assert jobs.jobs == {}

    @pytest.mark.parametrize("times", [1, ATTEMPTS - 1])
    def test_error_deletes_the_job_in_spite_of_status_updates(self, jobs: FakeJobs, times: int) -> None:
        """On a conflict the deletion is repeated with the new resource version."""
        jobs.before("create_service", raising(QuotaExceeded("Full.")))
        jobs.before("delete", *[status_update(jobs)] * times)

        with pytest.raises(QuotaExceeded):
            submit(jobs)

        assert jobs.jobs == {}

    @pytest.mark.parametrize("step", ["find", "delete"])
    def test_failed_deletion_leaves_the_job_incomplete(self, jobs: FakeJobs, step: str) -> None:
        """The caller gets the first error, and the same request completes the Job."""
        jobs.before("create_service", raising(QuotaExceeded("Full.")))
        jobs.before(step, raising(ClusterUnavailable("Later.")))
        with pytest.raises(QuotaExceeded):
            submit(jobs)
        was_waiting = is_waiting(jobs)

        submit(jobs, nonce="other")

        assert (was_waiting, is_complete(jobs)) == (True, True)

    def test_completed_job_is_not_deleted(self, jobs: FakeJobs) -> None:
        """A failed delivery does not delete a Job that another one has completed."""

        def fail_after_the_other() -> None:
            submit(jobs, nonce="other")
            raise ClusterUnavailable("Later.")

        jobs.before("create_service", fail_after_the_other)

        with pytest.raises(ClusterUnavailable):
            submit(jobs)

        assert is_complete(jobs)

    def test_conflicts_and_deletion(self, jobs: FakeJobs) -> None:
        """After too many conflicts the Job is deleted; a deleted Job is reported to the caller."""
        jobs.before("patch", *[status_update(jobs)] * ATTEMPTS, jobs.jobs.clear)

        with pytest.raises(ClusterUnavailable, match="same request"):
            submit(jobs)
        assert jobs.jobs == {}
        with pytest.raises(JobBeingDeleted):
            submit(jobs)
        assert jobs.jobs == {}

    def test_another_job_with_the_name_is_not_changed(self, jobs: FakeJobs) -> None:
        """If the Job was replaced, the new one is neither started nor deleted."""
        other = job("train-1", annotations={INCOMPLETE_ANNOTATION: ""})
        jobs.before("patch", lambda: jobs.hold(TEAM_A, other))

        with pytest.raises(JobBeingDeleted):
            submit(jobs)

        assert stored(jobs) == other
