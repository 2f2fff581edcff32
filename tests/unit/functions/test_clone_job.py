"""clone_job: how it is asked. tests/product/test_clone.py has what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.api import Api


class TestAsked:
    """Requests that are none."""

    @pytest.mark.parametrize("query", ["dryRun=yes", "dryrun=true", "x=1", "dryRun=true&dryRun=true"])
    def test_queries_are_read_strictly(self, api: Api, query: str) -> None:
        """A query parameter that is misspelt must not submit for real."""
        api.submit(name="asked")
        before = api.names()

        answer = api.ask("POST", f"/jobs/team-a/asked/clone?{query}", json={})

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
        assert api.names() == before

    def test_dry_run_shows_the_job(self, api: Api) -> None:
        """As the cluster would store it; nothing is made."""
        api.submit(name="asked")
        before = api.names()

        answer = api.ask("POST", "/jobs/team-a/asked/clone?dryRun=true", json={"name": "dry"})

        assert (answer.status_code, answer.json()["metadata"]["name"]) == (200, "dry")
        assert api.names() == before

    @pytest.mark.parametrize("path", ["/jobs/Team-A/asked/clone", "/jobs/team-a/..%2Fx/clone", "/jobs/team-a/A/clone"])
    def test_odd_names_reach_no_cluster(self, api: Api, path: str) -> None:
        """A name is checked before it stands in a URL."""
        assert api.ask("POST", path, json={}).status_code == 400

    def test_missing_job_is_told(self, api: Api) -> None:
        """There is nothing to clone."""
        answer = api.ask("POST", "/jobs/team-a/nobody/clone", json={})

        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")

    def test_key_that_is_none_makes_nothing(self, api: Api) -> None:
        """As for a submission."""
        api.submit(name="asked")
        before = api.names()

        answer = api.ask("POST", "/jobs/team-a/asked/clone", json={}, headers={"Idempotency-Key": "a" * 256})

        assert answer.status_code == 400
        assert api.names() == before
