"""Tests of the lifecycle of a Job."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from chalicelib.domain.errors import JobBeingDeleted, JobFinished, JobIncomplete, JobManagedByQueue
from chalicelib.domain.job.lifecycle import is_reached, suspend_patch
from chalicelib.domain.job.status import Status
from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL, JobSpec
from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from tests.support.builders import NOW, ended, job

if TYPE_CHECKING:
    from chalicelib.domain.errors import ResearcherError
    from chalicelib.domain.kubernetes.jobs import Job


ALL = set(get_args(Status))


class TestIsReached:
    """Tests of is_reached."""

    def test_finished(self) -> None:
        """A wait for `finished` ends when the Job has succeeded or failed."""
        assert {status for status in ALL if is_reached("finished", status)} == {"Succeeded", "Failed"}

    def test_running(self) -> None:
        """A wait for `running` also ends when the Job will never run again, or has failed without running."""
        expected = {"Running", "Terminating", "Succeeded", "Failed"}
        assert {status for status in ALL if is_reached("running", status)} == expected


class TestSuspendPatch:
    """The merge patch that suspends or resumes a Job."""

    @pytest.mark.parametrize("suspend", [None, False, True])
    def test_unfinished_job(self, suspend: bool | None) -> None:
        """A Job can be suspended or resumed whether it is already suspended or not."""
        assert suspend_patch(job(spec=JobSpec(suspend=suspend)), suspended=True) == {"spec": {"suspend": True}}

    @pytest.mark.parametrize(
        ("subject", "error"),
        [
            pytest.param(job(status=ended("Complete")), JobFinished, id="succeeded"),
            pytest.param(job(status=ended("Failed")), JobFinished, id="failed"),
            pytest.param(job(deletion_timestamp=NOW), JobBeingDeleted, id="being deleted"),
            pytest.param(job(annotations={INCOMPLETE_ANNOTATION: ""}), JobIncomplete, id="incomplete"),
            pytest.param(job(labels={QUEUE_LABEL: "gpus"}), JobManagedByQueue, id="in a queue"),
        ],
    )
    def test_other_jobs(self, subject: Job, error: type[ResearcherError]) -> None:
        """A finished, terminating, incomplete or queued Job raises its own error, which names the Job."""
        with pytest.raises(error, match="train-1"):
            suspend_patch(subject, suspended=True)
