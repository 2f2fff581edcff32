"""Tests of the causes and their remedies."""

from __future__ import annotations

from typing import get_args

import pytest

from chalicelib.domain.diagnosis.causes import EXPLANATIONS, Cause, Finding, remedy_of
from chalicelib.domain.job.event_list import ObjectName

REMEDIES = [text for each in EXPLANATIONS.values() for text in (each.remedy, each.remedy_after_end) if text]
ENDED_JOBS_HAVE_NONE = {"Starting", "QueueWaiting", "Terminating"}
"""Causes of a Job that has not ended, for which waiting is the remedy."""


def finding(cause: Cause, remedy: str = "") -> Finding:
    """Return a finding with its own *remedy*, or without."""
    return Finding(cause, ObjectName("Job", "train-1"), "status", "m", None, remedy)


class TestExplanations:
    """Tests of EXPLANATIONS."""

    def test_every_cause_is_explained(self) -> None:
        """The explanations have the same causes in the same order as the type."""
        assert list(EXPLANATIONS) == list(get_args(Cause))

    @pytest.mark.parametrize("remedy", REMEDIES)
    def test_remedy_is_one_sentence(self, remedy: str) -> None:
        """A remedy is one sentence, so that it is quick to read."""
        assert (remedy[0].isupper(), remedy.count(". "), remedy[-1]) == (True, 0, ".")


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
