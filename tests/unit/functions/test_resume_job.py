"""resume_job: what a request may say, and what never reaches the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from infra.local.kubernetes.cluster import EmbeddedCluster
    from infra.local.stack import Stack
    from tests.api import Api


class TestRequest:
    """POST /jobs/{project}/{name}/resume."""

    def test_answers_the_job_itself(self, api: Api) -> None:
        """202 and its view, as a submission answers it."""
        made = api.submit(name="there", environment={"SIMULATE": "run-forever"}).json()

        answer = api.ask("POST", "/jobs/team-a/there/resume")

        assert (answer.status_code, answer.json()["id"]) == (202, made["id"])

    @pytest.mark.parametrize("tag", ["0", '"0"', "W/*", '"4711.9f3a21c"'])
    def test_an_if_match_that_is_none_matches_nothing(self, stack: Stack[EmbeddedCluster], api: Api, tag: str) -> None:
        """412, and the cluster is not asked."""
        asked = len(stack.cluster.requests)

        answer = api.ask("POST", "/jobs/team-a/there/resume", headers={"If-Match": tag})

        assert (answer.status_code, len(stack.cluster.requests)) == (412, asked)

    @pytest.mark.parametrize("path", ["team-a/UPPER", "team-a/a%0A", "TEAM/there", "team-a/a_b"])
    def test_an_odd_name_is_none(self, stack: Stack[EmbeddedCluster], api: Api, path: str) -> None:
        """It never reaches the cluster."""
        asked = len(stack.cluster.requests)

        assert api.ask("POST", f"/jobs/{path}/resume").status_code == 400
        assert len(stack.cluster.requests) == asked

    def test_takes_no_query(self, api: Api) -> None:
        """A parameter that is not known is not ignored."""
        assert api.ask("POST", "/jobs/team-a/there/resume?force=true").status_code == 400
