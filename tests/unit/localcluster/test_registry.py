"""Writes that the contract does not make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.localcluster.kinds import EVENT, JOB, POD
from infra.localcluster.status_errors import StatusError

if TYPE_CHECKING:
    from tests.unit.localcluster.conftest import Parts

ABOUT = {"kind": "Job", "metadata": {"name": "one", "namespace": "team", "uid": "1"}}


class TestRecord:
    """Events."""

    def test_the_same_again_is_counted(self, parts: Parts) -> None:
        """Two of a kind are one event of count two."""
        for _ in range(2):
            parts.writing.record(ABOUT, "Warning", "FailedCreate", "no room")

        assert [event["count"] for event in parts.store.all(EVENT)] == [2]


class TestCreate:
    """New objects."""

    def test_another_namespace_in_the_body(self, parts: Parts) -> None:
        """Where it belongs is said once."""
        with pytest.raises(StatusError, match="does not match the namespace"):
            parts.writing.create(POD, "team", {"metadata": {"name": "one", "namespace": "other"}})


class TestPatch:
    """Changes."""

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_of_nothing_stores_nothing(self, parts: Parts, dry_run: bool) -> None:
        """The version stays."""
        parts.store.add(JOB, "team", {"metadata": {"name": "one", "uid": "1"}})
        before = parts.store.version

        parts.writing.patch(JOB, "team", "one", {}, dry_run=dry_run)

        assert before == parts.store.version
