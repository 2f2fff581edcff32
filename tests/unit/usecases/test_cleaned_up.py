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
    """It was there, and this is how it ended."""
    receipts = FakeReceipts()
    kept = receipt_of(TEAM_A, msgspec.to_builtins(finished()), [], None)
    receipts.store(kept)

    found = cleaned_up(MISSING, TEAM_A, TRAIN_1, receipts)

    assert isinstance(found, JobCleanedUp)
    assert found.problem().receipt == kept


def test_without_one_it_was_never_there() -> None:
    """Or somebody deleted it."""
    assert cleaned_up(MISSING, TEAM_A, TRAIN_1, FakeReceipts()) is MISSING
