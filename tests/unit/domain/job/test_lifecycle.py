"""Statuses that a caller can wait for, and Jobs that can be suspended."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from chalicelib.domain.errors import JobBeingDeleted, JobFinished, JobIncomplete, JobManagedByQueue
from chalicelib.domain.job.lifecycle import is_reached, suspend_patch
from chalicelib.domain.job.view import Status
from chalicelib.domain.kubernetes.jobs import QUEUE_LABEL, JobSpec
from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from tests.support.builders import NOW, ended, job

if TYPE_CHECKING:
    from chalicelib.domain.errors import ResearcherError
    from chalicelib.domain.kubernetes.jobs import Job


ALL = set(get_args(Status))


class TestHasCome:
    """Whether a Job has come to it."""

    def test_to_its_end(self) -> None:
        """Well or badly."""
        assert {status for status in ALL if is_reached("finished", status)} == {"Succeeded", "Failed"}

    def test_to_its_start(self) -> None:
        """Also where it has run already, failed without, or is being deleted: it would never come to it otherwise."""
        expected = {"Running", "Terminating", "Succeeded", "Failed"}
        assert {status for status in ALL if is_reached("running", status)} == expected


class TestSuspendPatch:
    """Who may still decide about a Job's run."""

    @pytest.mark.parametrize("suspend", [None, False, True])
    def test_an_unfinished_job_is(self, suspend: bool | None) -> None:
        """Whether it is suspended already does not matter."""
        assert suspend_patch(job(spec=JobSpec(suspend=suspend)), suspended=True) == {"spec": {"suspend": True}}

    @pytest.mark.parametrize(
        ("held", "error"),
        [
            pytest.param(job(status=ended("Complete")), JobFinished, id="succeeded"),
            pytest.param(job(status=ended("Failed")), JobFinished, id="failed"),
            pytest.param(job(deletion_timestamp=NOW), JobBeingDeleted, id="being deleted"),
            pytest.param(job(annotations={INCOMPLETE_ANNOTATION: ""}), JobIncomplete, id="half-made"),
            pytest.param(job(labels={QUEUE_LABEL: "gpus"}), JobManagedByQueue, id="in a queue"),
        ],
    )
    def test_others_are_not(self, held: Job, error: type[ResearcherError]) -> None:
        """It has ended, it goes, or its queue writes the same field: each is told by its name."""
        with pytest.raises(error, match="train-1"):
            suspend_patch(held, suspended=True)
