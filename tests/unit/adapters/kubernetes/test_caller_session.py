"""The paths of a Project's objects, and a denial that no status code tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.kubernetes.api_request import ApiRequest
from chalicelib.adapters.kubernetes.caller_session import CallerSession, core_path, jobs_path
from chalicelib.adapters.kubernetes.cluster import Cluster
from chalicelib.deadline import Deadline
from chalicelib.domain.errors import RefusedByCluster
from tests.support.builders import ALICE, TEAM_A
from tests.support.scripted_server import api_at, groups_reply, status_reply

if TYPE_CHECKING:
    from chalicelib.adapters.kubernetes.api_request import ApiResponse
    from tests.support.scripted_server import ScriptedServer

RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
DENIAL = 'admission webhook "images.example.com" denied the request: use the registry of your team'


class _Session(CallerSession):
    """Sends one request that its caller names."""

    def get(self, path: str) -> ApiResponse:
        """Send GET *path*."""
        return self._send(ApiRequest("GET", path))


class TestDenial:
    """A webhook denies a request with whatever status it likes."""

    @pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500])
    def test_is_raised_whatever_its_status(self, site: ScriptedServer, status: int) -> None:
        """No adapter takes a denial for what its status means otherwise, such as a Job that is missing."""
        site.on(RULES, groups_reply("researcher:team-a"))
        site.on(jobs_path(TEAM_A), status_reply(status, message=DENIAL))
        session = _Session(Cluster(api_at(site.url)), ALICE, Deadline.after(60))

        with pytest.raises(RefusedByCluster, match="use the registry of your team"):
            session.get(jobs_path(TEAM_A))


class TestPaths:
    """Paths in the Project's namespace."""

    def test_jobs(self) -> None:
        """Jobs are in the API group batch."""
        assert jobs_path(TEAM_A) == "/apis/batch/v1/namespaces/researcher-team-a/jobs"

    def test_core_objects(self) -> None:
        """Core objects have no API group."""
        assert core_path(TEAM_A, "pods") == "/api/v1/namespaces/researcher-team-a/pods"
