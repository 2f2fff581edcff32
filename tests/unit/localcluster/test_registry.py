"""Writes that the contract tests do not make."""

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

    def test_equal_events_are_counted(self, parts: Parts) -> None:
        """Two equal events are one event with a count of two."""
        for _ in range(2):
            parts.registry.record(ABOUT, "Warning", "FailedCreate", "exceeded quota")

        assert [event["count"] for event in parts.store.all(EVENT)] == [2]


class TestCreate:
    """New objects."""

    def test_another_namespace_in_the_body(self, parts: Parts) -> None:
        """A namespace in the body that differs from the URL is rejected."""
        with pytest.raises(StatusError, match="does not match the namespace"):
            parts.registry.create(POD, "team", {"metadata": {"name": "one", "namespace": "other"}})


class TestPatch:
    """Patches."""

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_empty_patch_stores_nothing(self, parts: Parts, dry_run: bool) -> None:
        """An empty patch does not change the resource version."""
        parts.store.add(JOB, "team", {"metadata": {"name": "one", "uid": "1"}})
        version = parts.store.version

        parts.registry.patch(JOB, "team", "one", {}, dry_run=dry_run)

        assert parts.store.version == version
