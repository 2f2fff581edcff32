"""clone_job: how it is asked. tests/product/test_clone.py has what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.api import Api


class TestAsked:
    """Requests that are none."""

    def test_dry_run_shows_the_job(self, api: Api) -> None:
        """As the cluster would store it; nothing is made."""
        api.submit(name="asked")
        before = api.names()

        answer = api.ask("POST", "/jobs/team-a/asked/clone?dryRun=true", json={"name": "dry"})

        assert (answer.status_code, answer.json()["metadata"]["name"]) == (200, "dry")
        assert api.names() == before

    def test_key_that_is_none_makes_nothing(self, api: Api) -> None:
        """As for a submission."""
        api.submit(name="asked")
        before = api.names()

        answer = api.ask("POST", "/jobs/team-a/asked/clone", json={}, headers={"Idempotency-Key": "a" * 256})

        assert answer.status_code == 400
        assert api.names() == before
