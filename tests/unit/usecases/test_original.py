"""Submissions that follow from a Job that is there."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import Forbidden, JobNotFound, NameTaken
from chalicelib.domain.kubernetes import JobSpec
from chalicelib.domain.names import SUBMISSION, ProjectName
from chalicelib.usecases.original import clone, retry_job
from tests.builders import ALICE, BOB, TEAM_A, TRAIN_1, ended, job
from tests.fakes import FakeJobs

ASKED = '{"completions":2,"image":"busybox","indexed":true,"jobNamePrefix":"sweep","project":"team-a"}'


@pytest.fixture
def jobs() -> FakeJobs:
    """A cluster with an array that failed as a whole."""
    found = FakeJobs()
    spec = JobSpec(completions=2, completion_mode="Indexed")
    found.hold(TEAM_A, job("train-1", spec=spec, status=ended("Failed"), annotations={SUBMISSION: ASKED}))
    return found


class TestOriginal:
    """What a Job was asked as."""

    def test_clone_is_what_was_asked(self, jobs: FakeJobs) -> None:
        """Changed by the patch; a key makes the name where there is one."""
        free, keyed = (clone(TEAM_A, TRAIN_1, {"gpu": 2}, key, jobs) for key in (None, "key"))

        assert (free.gpu, free.job_name_prefix, keyed.job_name_prefix) == (2, "sweep", None)

    def test_retry_is_what_failed(self, jobs: FakeJobs) -> None:
        """Here, all of it."""
        retry_job(TEAM_A, TRAIN_1, ALICE, jobs)

        (container,) = jobs.manifests[0]["spec"]["template"]["spec"]["containers"]
        assert container["env"] == [{"name": "RESEARCHER_INDEX_MAP", "value": "0,1"}]

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
            clone(ProjectName("team-b"), TRAIN_1, {}, None, jobs)
        with pytest.raises(JobNotFound):
            clone(TEAM_A, TRAIN_1, {}, None, FakeJobs())
        with pytest.raises(JobNotFound):
            retry_job(TEAM_A, TRAIN_1, ALICE, FakeJobs())
