"""A Job that is gone: cleaned up, or never there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from chalicelib.domain.errors import JobCleanedUp, JobNotFound
from chalicelib.domain.finished.receipt import receipt_of
from chalicelib.domain.kubernetes.jobs import Namespace
from chalicelib.usecases.explain_missing_job import cleaned_up
from tests.support.builders import NOW, TEAM_A, TRAIN_1, finished, meta
from tests.support.fakes import FakeReceipts

if TYPE_CHECKING:
    from chalicelib.domain.names import ProjectName

MISSING = JobNotFound("The Project has no such Job.")


class Since:
    """A cluster whose Projects all have namespaces of one age."""

    def __init__(self, moment: datetime | None) -> None:
        self._moment = moment

    def namespace(self, project: ProjectName) -> Namespace:
        """The Project's namespace."""
        return Namespace(metadata=meta(f"researcher-{project}", creation_timestamp=self._moment))


def test_without_receipt_it_was_never_there() -> None:
    """Or somebody deleted it."""
    assert cleaned_up(MISSING, TEAM_A, TRAIN_1, FakeReceipts(), Since(NOW)) is MISSING


@pytest.mark.parametrize(
    ("later", "found"),
    [
        pytest.param(timedelta(days=-1), JobCleanedUp, id="the Project's own"),
        pytest.param(timedelta(), JobCleanedUp, id="of the same second"),
        pytest.param(timedelta(seconds=1), JobNotFound, id="of an earlier Project of that name"),
        pytest.param(None, JobNotFound, id="nobody knows since when the Project exists"),
    ],
)
def test_receipt_belongs_to_the_project_of_its_time(later: timedelta | None, found: type) -> None:
    """A Project that is deleted and made anew, perhaps for another team, shows no logs of before."""
    receipts = FakeReceipts()
    kept = receipt_of(TEAM_A, msgspec.to_builtins(finished(creation_timestamp=NOW)), [], None)
    receipts.store(kept)

    error = cleaned_up(MISSING, TEAM_A, TRAIN_1, receipts, Since(None if later is None else NOW + later))

    assert type(error) is found
    assert getattr(error.problem(), "receipt", None) == (kept if found is JobCleanedUp else None)
