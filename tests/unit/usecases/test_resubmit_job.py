"""Submissions that follow from a Job that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.errors import Forbidden, IdempotencyKeyReused, JobNotFound, NameTaken
from chalicelib.domain.kubernetes.jobs import JobSpec
from chalicelib.domain.labels import SUBMISSION_ANNOTATION
from chalicelib.domain.names import ProjectName
from chalicelib.domain.submission.idempotency import IdempotencyKey, UniqueRequest
from chalicelib.domain.submission.resubmission import CloneRequest
from chalicelib.usecases.resubmit_job import clone_job, cloned_submission, retry_job
from tests.support.builders import ALICE, BOB, TEAM_A, TRAIN_1, ended, job
from tests.support.fakes import FakeJobs

if TYPE_CHECKING:
    from chalicelib.domain.caller import Caller

ASKED = '{"completions":2,"image":"busybox","indexed":true,"jobNamePrefix":"sweep","project":"team-a"}'

KEY = IdempotencyKey("sweep-7", "drawn")
ONCE = UniqueRequest("drawn")


@pytest.fixture
def jobs() -> FakeJobs:
    """A cluster with an array that failed as a whole."""
    found = FakeJobs()
    spec = JobSpec(completions=2, completion_mode="Indexed")
    found.hold(TEAM_A, job("train-1", spec=spec, status=ended("Failed"), annotations={SUBMISSION_ANNOTATION: ASKED}))
    return found


class TestOriginal:
    """What a Job was asked as."""

    def test_clone_is_what_was_asked(self, jobs: FakeJobs) -> None:
        """Changed by the patch; a key makes the name where there is one."""
        free, keyed = (
            cloned_submission(CloneRequest(TEAM_A, TRAIN_1, {"gpu": 2}), known, jobs) for known in (ONCE, KEY)
        )

        assert (free.gpu, free.job_name_prefix, keyed.job_name_prefix) == (2, "sweep", None)

    def test_retry_is_what_failed(self, jobs: FakeJobs) -> None:
        """Here, all of it."""
        retry_job(TEAM_A, TRAIN_1, ALICE, jobs)

        (container,) = jobs.manifests[0]["spec"]["template"]["spec"]["containers"]
        assert container["env"][0] == {"name": "RESEARCHER_INDEX_MAP", "value": "0,1"}

    def test_retry_is_made_once_for_all(self, jobs: FakeJobs) -> None:
        """Who comes second is answered with the Job of who came first."""
        first, second = (retry_job(TEAM_A, TRAIN_1, caller, jobs) for caller in (ALICE, BOB))

        assert (first.replayed, second.replayed, second.job.user) == (False, True, "alice")
        assert len(jobs.manifests) == 1

    def test_job_that_only_has_the_name_is_no_retry(self, jobs: FakeJobs) -> None:
        """Somebody may take the name, but is not taken for it."""
        name = retry_job(TEAM_A, TRAIN_1, ALICE, jobs).job.name
        jobs.hold(TEAM_A, job(name))

        with pytest.raises(NameTaken):
            retry_job(TEAM_A, TRAIN_1, ALICE, jobs)

    def test_missing_job_is_told(self, jobs: FakeJobs) -> None:
        """There is nothing to go by; in another team's Project, whatever is there."""
        with pytest.raises(Forbidden):
            cloned_submission(CloneRequest(ProjectName("team-b"), TRAIN_1, {}), ONCE, jobs)
        with pytest.raises(JobNotFound):
            cloned_submission(CloneRequest(TEAM_A, TRAIN_1, {}), ONCE, FakeJobs())
        with pytest.raises(JobNotFound):
            retry_job(TEAM_A, TRAIN_1, ALICE, FakeJobs())


class TestRepeatedClone:
    """The same request to clone, sent again after its response was lost and the original is gone."""

    @pytest.mark.parametrize(
        ("patch", "deduplication_key"),
        [({}, KEY), ({"gpu": 2}, KEY), ({"name": "mine"}, KEY), ({"name": "mine", "gpu": 2}, ONCE)],
    )
    def test_finds_its_job(
        self, jobs: FakeJobs, patch: dict[str, object], deduplication_key: IdempotencyKey | UniqueRequest
    ) -> None:
        """By its key or by its name, whatever became of the original."""
        request = CloneRequest(TEAM_A, TRAIN_1, patch), deduplication_key, ALICE, jobs
        first = clone_job(*request)
        del jobs.jobs[TEAM_A, TRAIN_1]

        again = clone_job(*request)

        assert (first.replayed, again.replayed, again.job.id) == (False, True, first.job.id)
        assert len(jobs.manifests) == 1

    def test_is_the_same_when_the_original_changed(self, jobs: FakeJobs) -> None:
        """The request names the original, and not what it was at that time."""
        first = clone_job(CloneRequest(TEAM_A, TRAIN_1, {}), KEY, ALICE, jobs)
        jobs.hold(TEAM_A, job("train-1", annotations={SUBMISSION_ANNOTATION: '{"image":"other","project":"team-a"}'}))

        assert clone_job(CloneRequest(TEAM_A, TRAIN_1, {}), KEY, ALICE, jobs).job.id == first.job.id

    @pytest.mark.parametrize(
        ("patch", "deduplication_key", "caller", "error"),
        [
            pytest.param({"gpu": 1}, KEY, ALICE, IdempotencyKeyReused, id="another patch under the key"),
            pytest.param({}, KEY, BOB, JobNotFound, id="another caller's key"),
            pytest.param({}, IdempotencyKey("other"), ALICE, JobNotFound, id="another key"),
            pytest.param({}, ONCE, ALICE, JobNotFound, id="no key"),
            pytest.param({"name": "train-2"}, ONCE, ALICE, NameTaken, id="the name of another's Job"),
            pytest.param({"name": "not a name"}, ONCE, ALICE, JobNotFound, id="no name"),
            pytest.param({"name": 7}, ONCE, ALICE, JobNotFound, id="a number as name"),
            pytest.param([], ONCE, ALICE, JobNotFound, id="no patch"),
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
        """Neither by guessing, nor by mistake."""
        clone_job(CloneRequest(TEAM_A, TRAIN_1, {}), KEY, ALICE, jobs)
        jobs.hold(TEAM_A, job("train-2"))
        del jobs.jobs[TEAM_A, TRAIN_1]

        with pytest.raises(error):
            clone_job(CloneRequest(TEAM_A, TRAIN_1, patch), deduplication_key, caller, jobs)
