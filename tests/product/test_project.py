"""The details of one Project on the cluster: its usage, and the caller's verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.kubernetes.project import project_manifests
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.api import Api

RUN_FOREVER = {SIMULATE_VARIABLE: "run-forever"}


@pytest.fixture
def project(stack: Stack[Any], api: Api) -> Iterator[str]:
    """Create a Project, and delete its Jobs afterwards."""
    stack.cluster.apply(project_manifests("team-usage", ["team-a"], ["team-b"], gpus=16))
    yield "team-usage"
    for name in api.names("team-usage"):
        api.request("DELETE", f"/jobs/team-usage/{name}")


def get_project(api: Api, project: str) -> dict[str, Any]:
    """Return the response of get_project."""
    detail: dict[str, Any] = api.request("GET", f"/projects/{project}").raise_for_status().json()
    return detail


class TestUsage:
    """Quota, GPUs and Jobs."""

    def test_of_running_pending_and_suspended_jobs(self, api: Api, project: str) -> None:
        """The quota counts running and pending Jobs, allocated GPUs only running ones; suspended Jobs use nothing."""
        for name, gpus in (("a", 8), ("b", 4), ("c", 2)):
            api.submit(project, name=name, gpu=gpus, environment=RUN_FOREVER)
        api.request("POST", f"/jobs/{project}/c/suspend")

        detail = eventually(
            lambda: get_project(api, project),
            lambda detail: (
                (detail["gpus"]["allocated"], detail["quotas"][0]["used"].get("requests.nvidia.com/gpu")) == (8, "12")
            ),
        )

        assert detail["gpus"] == {"quota": 16, "requested": 12, "allocated": 8}
        assert detail["jobs"] == {"running": 1, "pending": 1, "suspended": 1}
        assert detail["quotas"][0]["hard"]["requests.nvidia.com/gpu"] == "16"
        assert (detail["namespace"], detail["complete"]) == ("researcher-team-usage", True)


class TestVerbs:
    """The verbs of the caller."""

    def test_of_a_submitter(self, api: Api, project: str) -> None:
        """A submitter may create, delete and patch Jobs, but not replace them or delete collections."""
        assert get_project(api, project)["verbs"] == ["create", "delete", "get", "list", "patch", "watch"]

    def test_of_a_viewer(self, stack: Stack[Any], api: Api) -> None:
        """A viewer may only read."""
        stack.cluster.apply(project_manifests("viewed", ["team-b"], ["team-a"]))

        assert get_project(api, "viewed")["verbs"] == ["get", "list", "watch"]


class TestOthers:
    """Projects to which the caller has no access."""

    def test_without_access_is_like_missing(self, api: Api) -> None:
        """The response for a Project without access is that of a missing one, except for the request id."""
        responses = [api.request("GET", f"/projects/{name}") for name in ("team-b", "team-zzz")]

        assert [response.status_code for response in responses] == [403, 403]
        bodies = [response.json() | {"instance": None} for response in responses]
        assert bodies[0] == bodies[1]

    def test_invalid_name(self, api: Api) -> None:
        """An invalid name is 400 and does not reach the cluster."""
        assert api.request("GET", "/projects/TEAM_A").status_code == 400
