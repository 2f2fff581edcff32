"""The event history of the embedded cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infra.localcluster.event_history import MAX_CHANGES
from infra.localcluster.kinds import JOB
from infra.localcluster.watch import Watch

if TYPE_CHECKING:
    from tests.unit.localcluster.conftest import Parts


class TestHistory:
    """The last changes."""

    def test_old_version_has_expired(self, parts: Parts) -> None:
        """A watch from a version that is no longer available receives 410 Expired, as on a real cluster."""
        for number in range(MAX_CHANGES):
            parts.store.add(JOB, "team", {"metadata": {"name": f"job-{number}"}})
        watch = Watch(parts.store, JOB, "team", lambda _: True)

        (event,) = [json.loads(line) for line in watch.events("1", 0)]

        assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
        assert event["object"]["message"].startswith("too old resource version: 1 (")

    def test_closing_ends_every_watch(self, parts: Parts) -> None:
        """Closing the history ends every watch."""
        parts.store.history.close()

        assert list(Watch(parts.store, JOB, "team", lambda _: True).events("", 60)) == []
        assert parts.store.history.since(parts.store.version, 60) == []
