"""One Project on the cluster: what it uses, and who sees that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.kubernetes.project import project_manifests
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack
    from tests.support.api import Api

RUNS_ON = {SIMULATE_VARIABLE: "run-forever"}


@pytest.fixture
def project(stack: Stack[Any], api: Api) -> Iterator[str]:
    """A Project of the test's own."""
    stack.cluster.apply(project_manifests("team-room", ["team-a"], ["team-b"], gpus=16))
    yield "team-room"
    for name in api.names("team-room"):
        api.ask("DELETE", f"/jobs/team-room/{name}")


def told(api: Api, project: str) -> dict[str, Any]:
    """The Project as get_project tells of it."""
    detail: dict[str, Any] = api.ask("GET", f"/projects/{project}").raise_for_status().json()
    return detail


class TestUse:
    """Quota, GPUs and Jobs."""

    def test_is_that_of_its_jobs(self, api: Api, project: str) -> None:
        """One runs, one waits for the node, one is suspended; the quota counts pods, and so the one that waits."""
        for name, gpus in (("a", 8), ("b", 4), ("c", 2)):
            api.submit(project, name=name, gpu=gpus, environment=RUNS_ON)
        api.ask("POST", f"/jobs/{project}/c/suspend")

        detail = eventually(
            lambda: told(api, project),
            lambda one: (
                (one["gpus"]["allocated"], one["quotas"][0]["used"].get("requests.nvidia.com/gpu")) == (8, "12")
            ),
        )

        assert detail["gpus"] == {"quota": 16, "requested": 12, "allocated": 8}
        assert detail["jobs"] == {"running": 1, "pending": 1, "suspended": 1}
        assert detail["quotas"][0]["hard"]["requests.nvidia.com/gpu"] == "16"
        assert (detail["namespace"], detail["complete"]) == ("researcher-team-room", True)


class TestVerbs:
    """What the caller may do."""

    def test_of_a_submitter(self, api: Api, project: str) -> None:
        """All but to change a Job as a whole, or to delete all at once."""
        assert told(api, project)["verbs"] == ["create", "delete", "get", "list", "patch", "watch"]

    def test_of_a_viewer(self, stack: Stack[Any], api: Api) -> None:
        """To look."""
        stack.cluster.apply(project_manifests("looked-into", ["team-b"], ["team-a"]))

        assert told(api, "looked-into")["verbs"] == ["get", "list", "watch"]


class TestOthers:
    """Projects that are not the caller's."""

    def test_a_foreign_one_answers_as_a_missing_one(self, api: Api) -> None:
        """The same bytes, but for the request's id."""
        answers = [api.ask("GET", f"/projects/{name}") for name in ("team-b", "team-zzz")]

        assert [answer.status_code for answer in answers] == [403, 403]
        bodies = [answer.json() | {"instance": None} for answer in answers]
        assert bodies[0] == bodies[1]

    def test_an_odd_name_is_none(self, api: Api) -> None:
        """It never reaches the cluster."""
        assert api.ask("GET", "/projects/TEAM_A").status_code == 400
