"""Submissions that follow from a Job that is there."""

from __future__ import annotations

import pytest

from chalicelib.domain.errors import Forbidden, JobNotFound
from chalicelib.domain.kubernetes import JobSpec
from chalicelib.domain.names import SUBMISSION, ProjectName
from chalicelib.usecases.original import clone, retry
from tests.builders import TEAM_A, TRAIN_1, ended, job
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
        assert retry(TEAM_A, TRAIN_1, jobs).environment == {"RESEARCHER_INDEX_MAP": "0,1"}

    def test_missing_job_is_told(self) -> None:
        """There is nothing to go by."""
        with pytest.raises(JobNotFound):
            clone(TEAM_A, TRAIN_1, {}, None, FakeJobs())
        with pytest.raises(JobNotFound):
            retry(TEAM_A, TRAIN_1, FakeJobs())

    def test_other_teams_project_is_refused(self, jobs: FakeJobs) -> None:
        """Whatever is there."""
        with pytest.raises(Forbidden):
            clone(ProjectName("team-b"), TRAIN_1, {}, None, jobs)
