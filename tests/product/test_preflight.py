"""Jobs whose pods the cluster would never take are not made, and whoever submits one learns why at once."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from infra.kubernetes.project import project_manifests
from infra.localcluster.kinds import JOB, POD
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.support.api import Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from infra.local.local_stack import Stack


RUNS_ON = {SIMULATE_VARIABLE: "run-forever"}


def uids(stack: Stack[Any], project: str) -> list[str]:
    """The Jobs and pods of *project*."""
    found = [*stack.cluster.find(JOB, f"researcher-{project}"), *stack.cluster.find(POD, f"researcher-{project}")]
    return [one["metadata"]["uid"] for one in found]


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.json()["code"]


@pytest.fixture(scope="module")
def project(stack: Stack[Any]) -> str:
    """A Project of 4 GPUs, with a LimitRange of its own, to which alice may submit and bob may not."""
    metadata = {"name": "most", "namespace": "researcher-small"}
    spec = {"limits": [{"type": "Container", "max": {"memory": "32Gi"}}]}
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": spec}
    stack.cluster.apply([*project_manifests("small", ["team-a"], gpus=4), limits])
    return "small"


@pytest.fixture
def ready(api: Api, project: str) -> str:
    """The same, once the API server acts by its quota and its limits."""
    for bound in ({"memoryLimit": "33Gi"}, {"gpu": 5}):
        probe = {"image": "busybox", "project": project, **bound}
        eventually(partial(_dry_run, api, probe), lambda status: status == 403)
    return project


def _dry_run(api: Api, document: dict[str, Any]) -> int:
    return api.ask("POST", "/jobs?dryRun=true", json=document).status_code


@pytest.fixture
def full(api: Api, ready: str) -> Iterator[str]:
    """The same Project, whose quota a Job named `all` takes whole."""
    api.submit(ready, name="all", gpu=4, environment=RUNS_ON)
    eventually(
        lambda: api.ask("GET", f"/projects/{ready}").json()["quotas"][0]["used"].get("requests.nvidia.com/gpu"),
        lambda used: used == "4",
    )
    yield ready
    for name in api.names(ready):
        api.ask("DELETE", f"/jobs/{ready}/{name}")


NEVER = [
    pytest.param({"gpu": 5}, ("quota_exceeded", "requested: requests.nvidia.com/gpu=5"), id="quota"),
    pytest.param(
        {"memoryLimit": "64Gi"}, ("refused_by_cluster", "maximum memory usage per Container is 32Gi"), id="limits"
    ),
]


class TestNever:
    """A Job that could never have a pod."""

    @pytest.mark.parametrize(("fields", "why"), NEVER)
    def test_is_refused_in_the_clusters_words(
        self, stack: Stack[Any], api: Api, ready: str, fields: dict[str, Any], why: tuple[str, str]
    ) -> None:
        """403, and no Job is made."""
        before = uids(stack, ready)

        answer = api.submit(ready, **fields)

        assert told(answer) == (403, why[0])
        assert why[1] in answer.json()["detail"]
        assert uids(stack, ready) == before

    @pytest.mark.parametrize(("fields", "why"), NEVER)
    def test_is_foretold_so_by_a_dry_run(
        self, api: Api, ready: str, fields: dict[str, Any], why: tuple[str, str]
    ) -> None:
        """`dryRun` says what would come."""
        answer = api.ask("POST", "/jobs?dryRun=true", json={"project": ready, "image": "busybox", **fields})

        assert (told(answer), why[1] in answer.json()["detail"]) == ((403, why[0]), True)

    def test_of_a_foreign_project_tells_nothing_of_it(self, stack: Stack[Any], ready: str) -> None:
        """Its quota is none of a stranger's business: the answer is that of a Project that does not exist."""
        with Api(stack, "bob") as bob:
            answers = [bob.submit(name, gpu=gpu) for name in (ready, "team-zzz") for gpu in (1, 5)]

        assert {told(answer) for answer in answers} == {(403, "forbidden")}
        assert len({answer.json()["detail"] for answer in answers}) == 1


class TestFull:
    """A quota that is taken, by Jobs that will end."""

    def test_a_job_that_will_fit_is_made_and_waits(self, api: Api, full: str) -> None:
        """As it would wait for a node; it starts when there is room."""
        name = f"waits-{secrets.token_hex(4)}"

        assert api.submit(full, name=name, gpu=4).status_code == 201
        eventually(
            lambda: api.ask("GET", f"/jobs/{full}/{name}").json()["data"][0],
            lambda view: view["reason"] == "PodsNotCreated",
        )

    def test_a_job_that_never_will_is_refused_all_the_same(self, api: Api, full: str) -> None:
        """More than the quota allows altogether."""
        assert told(api.submit(full, gpu=5)) == (403, "quota_exceeded")

    def test_a_replay_finds_the_job_that_fills_it(self, api: Api, full: str) -> None:
        """Exactly once, whatever the quota says by now."""
        again = api.submit(full, name="all", gpu=4, environment=RUNS_ON)

        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")

    def test_a_replay_finds_its_job_after_the_quota_was_cut(self, stack: Stack[Any], api: Api, full: str) -> None:
        """What would be refused today was made yesterday."""
        quota = {"apiVersion": "v1", "kind": "ResourceQuota"}
        metadata = {"name": "researcher-project", "namespace": f"researcher-{full}"}
        stack.cluster.apply([{**quota, "metadata": metadata, "spec": {"hard": {"requests.nvidia.com/gpu": "2"}}}])
        eventually(lambda: api.submit(full, gpu=4).status_code, lambda status: status == 403)

        again = api.submit(full, name="all", gpu=4, environment=RUNS_ON)

        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
        stack.cluster.apply([{**quota, "metadata": metadata, "spec": {"hard": {"requests.nvidia.com/gpu": "4"}}}])
