"""retry_job: how it is asked. tests/product/test_arrays.py has what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.api import Api


class TestAsked:
    """Requests that are none."""

    @pytest.mark.parametrize("query", ["dryRun=true", "index=1"])
    def test_takes_no_parameter(self, api: Api, query: str) -> None:
        """What it does not know it does not pass over: a dry run must not run."""
        answer = api.ask("POST", f"/jobs/team-a/nobody/retry?{query}")

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")

    @pytest.mark.parametrize("path", ["/jobs/Team-A/x/retry", "/jobs/team-a/..%2Fx/retry", "/jobs/team-a/A/retry"])
    def test_odd_names_reach_no_cluster(self, api: Api, path: str) -> None:
        """A name is checked before it stands in a URL."""
        assert api.ask("POST", path).status_code == 400

    def test_missing_job_is_told(self, api: Api) -> None:
        """There is nothing to retry."""
        answer = api.ask("POST", "/jobs/team-a/nobody/retry")

        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
