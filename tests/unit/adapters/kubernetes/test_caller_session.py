"""The paths of a Project's objects."""

from __future__ import annotations

from chalicelib.adapters.kubernetes.caller_session import core_path, jobs_path
from tests.support.builders import TEAM_A


class TestPaths:
    """Paths in the Project's namespace."""

    def test_jobs(self) -> None:
        """Jobs are in the API group batch."""
        assert jobs_path(TEAM_A) == "/apis/batch/v1/namespaces/researcher-team-a/jobs"

    def test_core_objects(self) -> None:
        """Core objects have no API group."""
        assert core_path(TEAM_A, "pods") == "/api/v1/namespaces/researcher-team-a/pods"
