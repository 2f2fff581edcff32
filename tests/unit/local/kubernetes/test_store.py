"""Objects, their pages and their owners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.kubernetes.kinds import JOB, NAMESPACE, SERVICE_ACCOUNT
from infra.local.kubernetes.refusal import Refusal

if TYPE_CHECKING:
    from tests.unit.local.kubernetes.conftest import Parts


class TestStore:
    """The store."""

    def test_expired_pages_are_refused(self, parts: Parts) -> None:
        """A token of a version that is forgotten is gone, not wrong."""
        for name in ("a", "b"):
            parts.store.add(JOB, "team", {"metadata": {"name": name}})
        token = parts.store.page(JOB, "team", lambda _: True, 1, "")["metadata"]["continue"]
        parts.store.oldest_page = parts.store.version + 1

        with pytest.raises(Refusal) as caught:
            parts.store.page(JOB, "team", lambda _: True, 1, token)

        assert (caught.value.code, caught.value.status["reason"]) == (410, "Expired")

    def test_a_namespace_takes_all_with_it(self, parts: Parts) -> None:
        """Nothing stays in a namespace that is gone."""
        parts.store.remove(NAMESPACE, "", "team")

        assert list(parts.store.all(SERVICE_ACCOUNT, "team")) == []
