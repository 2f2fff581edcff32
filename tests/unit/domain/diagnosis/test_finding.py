"""Tests of findings and their remedies."""

from __future__ import annotations

import pytest

from chalicelib.domain.diagnosis.causes import EXPLANATIONS, Cause
from chalicelib.domain.diagnosis.finding import Finding, remedy_of
from chalicelib.domain.job.event_list import ObjectName

ENDED_JOBS_HAVE_NONE = {"Starting", "QueueWaiting", "Terminating"}
"""Causes of a Job that has not ended, for which waiting is the remedy."""


def finding(cause: Cause, remedy: str = "") -> Finding:
    """Return a finding with its own *remedy*, or without."""
    return Finding(cause, ObjectName("Job", "train-1"), "status", "m", None, remedy)


class TestRemedyOf:
    """Tests of remedy_of."""

    @pytest.mark.parametrize("cause", sorted(set(EXPLANATIONS) - ENDED_JOBS_HAVE_NONE))
    def test_nothing_to_wait_for_after_the_end(self, cause: Cause) -> None:
        """A Job that has ended does not start again, whatever happens in the cluster."""
        assert "Wait" not in remedy_of(finding(cause), has_ended=True)

    def test_remedy_of_the_finding_takes_precedence(self) -> None:
        """A finding can have a remedy that fits better than that of its cause."""
        assert remedy_of(finding("ExitCode", "Correct command."), has_ended=False) == "Correct command."
        assert remedy_of(finding("ExitCode"), has_ended=False) == EXPLANATIONS["ExitCode"].remedy
