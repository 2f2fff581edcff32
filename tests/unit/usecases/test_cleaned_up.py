"""Tell of a Job that is gone."""

from __future__ import annotations

import msgspec

from chalicelib.domain.errors import JobCleanedUp, JobNotFound
from chalicelib.domain.receipt import receipt_of
from chalicelib.usecases.cleaned_up import cleaned_up
from tests.builders import TEAM_A, TRAIN_1, finished
from tests.fakes import FakeReceipts

MISSING = JobNotFound("The Project has no such Job.")


def test_its_receipt_is_told() -> None:
    """It was there, and this is how it ended; without one it never was, or somebody deleted it."""
    receipts = FakeReceipts()
    assert cleaned_up(MISSING, TEAM_A, TRAIN_1, receipts) is MISSING
    kept = receipt_of(TEAM_A, msgspec.to_builtins(finished()), [], None)
    receipts.store(kept)

    found = cleaned_up(MISSING, TEAM_A, TRAIN_1, receipts)

    assert isinstance(found, JobCleanedUp)
    assert found.problem().receipt == kept
