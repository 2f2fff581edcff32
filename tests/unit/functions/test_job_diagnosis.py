"""job_diagnosis and job_events: how few calls they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from infra.local.stack import Stack
    from tests.api import Api


@pytest.mark.parametrize("what", ["diagnosis", "events"])
class TestCalls:
    """Of either, about a Job with one pod."""

    def test_are_four(self, stack: Stack, api: Api, what: str) -> None:
        """The Job, its pods, its events, those of its pod: never a list of the whole namespace."""
        api.waiting_job(f"asks-{what}")
        asked = len(stack.cluster.requests)

        assert api.ask("GET", f"/jobs/team-a/asks-{what}/{what}").status_code == 200

        made = [request.target.partition("?") for request in list(stack.cluster.requests)[asked:]]
        assert sorted(path.rpartition("/")[2] for path, _, _ in made) == ["asks-" + what, "events", "events", "pods"]
        api.ask("DELETE", f"/jobs/team-a/asks-{what}")
        assert all("Selector=" in query for path, _, query in made if not path.endswith(f"asks-{what}"))
