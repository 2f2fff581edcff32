"""Where a Project's objects are."""

from __future__ import annotations

from chalicelib.adapters.kubernetes.caller_session import core_path, jobs_path
from tests.support.builders import TEAM_A


class TestPaths:
    """Each is within the Project's own namespace."""

    def test_jobs(self) -> None:
        """Are of the group batch."""
        assert jobs_path(TEAM_A) == "/apis/batch/v1/namespaces/researcher-team-a/jobs"

    def test_core_objects(self) -> None:
        """Are of none."""
        assert core_path(TEAM_A, "pods") == "/api/v1/namespaces/researcher-team-a/pods"
