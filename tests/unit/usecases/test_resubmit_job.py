"""Clones and retries of a Job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.errors import Forbidden, IdempotencyKeyReused, JobNotFound, NameTaken
from chalicelib.domain.kubernetes.jobs import JobSpec
from chalicelib.domain.labels import SUBMISSION_ANNOTATION
from chalicelib.domain.names import ProjectName
from chalicelib.domain.submission.deduplication_key import IdempotencyKey, UniqueRequest
from chalicelib.domain.submission.resubmission import CloneRequest
from chalicelib.usecases.resubmit_job import clone_job, cloned_submission, retry_job
from tests.support.builders import ALICE, BOB, TEAM_A, TRAIN_1, ended, job
from tests.support.fakes import FakeJobs

if TYPE_CHECKING:
    from chalicelib.domain.caller import Caller

SUBMISSION = '{"completions":2,"image":"busybox","indexed":true,"jobNamePrefix":"sweep","project":"team-a"}'

KEY = IdempotencyKey("sweep-7", "nonce")
UNIQUE = UniqueRequest("nonce")


@pytest.fixture
def jobs() -> FakeJobs:
    """Return a cluster with an indexed Job of which all indexes failed."""
    found = FakeJobs()
    spec = JobSpec(completions=2, completion_mode="Indexed")
    found.hold(
        TEAM_A, job("train-1", spec=spec, status=ended("Failed"), annotations={SUBMISSION_ANNOTATION: SUBMISSION})
    )
    return found


class TestOriginal:
    """The submission of the original."""

    def test_clone_has_the_original_submission(self, jobs: FakeJobs) -> None:
        """The patch is applied; an Idempotency-Key replaces the name prefix."""
        free, keyed = (cloned_submission(CloneRequest(TEAM_A, TRAIN_1, {"gpu": 2}), key, jobs) for key in (UNIQUE, KEY))

        assert (free.gpu, free.job_name_prefix, keyed.job_name_prefix) == (2, "sweep", None)

    def test_retry_has_the_failed_indexes(self, jobs: FakeJobs) -> None:
        """Here all indexes failed."""
        retry_job(TEAM_A, TRAIN_1, ALICE, jobs)

        (container,) = jobs.manifests[0]["spec"]["template"]["spec"]["containers"]
        assert container["env"][0] == {"name": "RESEARCHER_INDEX_MAP", "value": "0,1"}

    def test_retry_is_created_once_for_all_callers(self, jobs: FakeJobs) -> None:
        """A second caller gets the Job that the first one created."""
        first, second = (retry_job(TEAM_A, TRAIN_1, caller, jobs) for caller in (ALICE, BOB))

        assert (first.replayed, second.replayed, second.job.user) == (False, True, "alice")
        assert len(jobs.manifests) == 1

    def test_other_job_with_the_name_is_not_a_retry(self, jobs: FakeJobs) -> None:
        """A Job of the same name that another request created is an error."""
        name = retry_job(TEAM_A, TRAIN_1, ALICE, jobs).job.name
        jobs.hold(TEAM_A, job(name))

        with pytest.raises(NameTaken):
            retry_job(TEAM_A, TRAIN_1, ALICE, jobs)

    def test_missing_original(self, jobs: FakeJobs) -> None:
        """The error is JobNotFound, or Forbidden in another team's Project."""
        with pytest.raises(Forbidden):
            cloned_submission(CloneRequest(ProjectName("team-b"), TRAIN_1, {}), UNIQUE, jobs)
        with pytest.raises(JobNotFound):
            cloned_submission(CloneRequest(TEAM_A, TRAIN_1, {}), UNIQUE, FakeJobs())
        with pytest.raises(JobNotFound):
            retry_job(TEAM_A, TRAIN_1, ALICE, FakeJobs())


class TestRepeatedClone:
    """A request for a clone, repeated after its response was lost and the original was deleted."""

    @pytest.mark.parametrize(
        ("patch", "deduplication_key"),
        [
            *[({}, KEY), ({"gpu": 2}, KEY), ({"jobNamePrefix": "mine"}, KEY), ({"name": "mine"}, KEY)],
            ({"name": "mine", "gpu": 2}, UNIQUE),
        ],
    )
    def test_returns_its_job(
        self, jobs: FakeJobs, patch: dict[str, object], deduplication_key: IdempotencyKey | UniqueRequest
    ) -> None:
        """The clone is found by its key or its name."""
        request = CloneRequest(TEAM_A, TRAIN_1, patch), deduplication_key, ALICE, jobs
        first = clone_job(*request)
        del jobs.jobs[TEAM_A, TRAIN_1]

        repeated = clone_job(*request)

        assert (first.replayed, repeated.replayed, repeated.job.id) == (False, True, first.job.id)
        assert len(jobs.manifests) == 1

    def test_original_that_changed(self, jobs: FakeJobs) -> None:
        """The request names the original, and does not depend on its submission."""
        first = clone_job(CloneRequest(TEAM_A, TRAIN_1, {}), KEY, ALICE, jobs)
        jobs.hold(TEAM_A, job("train-1", annotations={SUBMISSION_ANNOTATION: '{"image":"other","project":"team-a"}'}))

        assert clone_job(CloneRequest(TEAM_A, TRAIN_1, {}), KEY, ALICE, jobs).job.id == first.job.id

    @pytest.mark.parametrize(
        ("patch", "deduplication_key", "caller", "error"),
        [
            pytest.param({"gpu": 1}, KEY, ALICE, IdempotencyKeyReused, id="another patch with the key"),
            pytest.param({"jobNamePrefix": "a"}, KEY, ALICE, IdempotencyKeyReused, id="another prefix with the key"),
            pytest.param({"jobNamePrefix": "../a"}, KEY, ALICE, IdempotencyKeyReused, id="invalid prefix"),
            pytest.param({}, KEY, BOB, JobNotFound, id="another caller's key"),
            pytest.param({}, IdempotencyKey("other"), ALICE, JobNotFound, id="another key"),
            pytest.param({}, UNIQUE, ALICE, JobNotFound, id="no key"),
            pytest.param({"name": "train-2"}, UNIQUE, ALICE, NameTaken, id="name of another Job"),
            pytest.param({"name": "not a name"}, UNIQUE, ALICE, JobNotFound, id="invalid name"),
            pytest.param({"name": 7}, UNIQUE, ALICE, JobNotFound, id="name is a number"),
            pytest.param([], UNIQUE, ALICE, JobNotFound, id="patch is not an object"),
        ],
    )
    def test_another_request_finds_nothing(
        self,
        jobs: FakeJobs,
        patch: object,
        deduplication_key: IdempotencyKey | UniqueRequest,
        caller: Caller,
        error: type[Exception],
    ) -> None:
        """Another patch, key, caller or name is another request."""
        clone_job(CloneRequest(TEAM_A, TRAIN_1, {}), KEY, ALICE, jobs)
        jobs.hold(TEAM_A, job("train-2"))
        del jobs.jobs[TEAM_A, TRAIN_1]

        with pytest.raises(error):
            clone_job(CloneRequest(TEAM_A, TRAIN_1, patch), deduplication_key, caller, jobs)
