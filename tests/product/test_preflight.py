"""Jobs whose pods could never be admitted are rejected at submission, with the reason."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from infra.kubernetes.project import project_manifests
from infra.localcluster.kinds import JOB, POD
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.support.api import Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from infra.local.local_stack import Stack


RUN_FOREVER = {SIMULATE_VARIABLE: "run-forever"}


def uids(stack: Stack[Any], project: str) -> list[str]:
    """Return the uids of the Jobs and pods of *project*."""
    found = [*stack.cluster.find(JOB, f"researcher-{project}"), *stack.cluster.find(POD, f"researcher-{project}")]
    return [each["metadata"]["uid"] for each in found]


def status_and_code(response: httpx.Response) -> tuple[int, str]:
    """Return status and code."""
    return response.status_code, response.json()["code"]


@pytest.fixture(scope="module")
def project(stack: Stack[Any]) -> str:
    """Create a Project of 4 GPUs with a LimitRange, to which alice may submit and bob may not; return its name."""
    metadata = {"name": "most", "namespace": "researcher-small"}
    spec = {"limits": [{"type": "Container", "max": {"memory": "32Gi"}}]}
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": spec}
    stack.cluster.apply([*project_manifests("small", ["team-a"], gpus=4), limits])
    return "small"


@pytest.fixture
def ready(api: Api, project: str) -> str:
    """Wait until the API server enforces the quota and the LimitRange of the Project, and return its name."""
    for bound in ({"memoryLimit": "33Gi"}, {"gpu": 5}):
        probe = {"image": "busybox", "project": project, **bound}
        eventually(partial(_dry_run, api, probe), lambda status: status == 403)
    return project


def _dry_run(api: Api, document: dict[str, Any]) -> int:
    return api.request("POST", "/jobs?dryRun=true", json=document).status_code


@pytest.fixture
def full(api: Api, ready: str) -> Iterator[str]:
    """Create a Job `all` that uses the whole quota of the Project, and return the Project's name."""
    api.submit(ready, name="all", gpu=4, environment=RUN_FOREVER)
    eventually(
        lambda: api.request("GET", f"/projects/{ready}").json()["quotas"][0]["used"].get("requests.nvidia.com/gpu"),
        lambda used: used == "4",
    )
    yield ready
    for name in api.names(ready):
        api.request("DELETE", f"/jobs/{ready}/{name}")


NEVER_FITS = [
    pytest.param({"gpu": 5}, ("quota_exceeded", "requested: requests.nvidia.com/gpu=5"), id="quota"),
    pytest.param(
        {"memoryLimit": "64Gi"}, ("refused_by_cluster", "maximum memory usage per Container is 32Gi"), id="limits"
    ),
]


class TestNeverFits:
    """A Job whose pods can never be admitted."""

    @pytest.mark.parametrize(("fields", "why"), NEVER_FITS)
    def test_is_rejected_with_the_message_of_the_cluster(
        self, stack: Stack[Any], api: Api, ready: str, fields: dict[str, Any], why: tuple[str, str]
    ) -> None:
        """The response is 403 with the cluster's message, and no Job is created."""
        before = uids(stack, ready)

        response = api.submit(ready, **fields)

        assert status_and_code(response) == (403, why[0])
        assert why[1] in response.json()["detail"]
        assert uids(stack, ready) == before

    @pytest.mark.parametrize(("fields", "why"), NEVER_FITS)
    def test_dry_run_is_rejected_in_the_same_way(
        self, api: Api, ready: str, fields: dict[str, Any], why: tuple[str, str]
    ) -> None:
        """A dry run returns the same error."""
        response = api.request("POST", "/jobs?dryRun=true", json={"project": ready, "image": "busybox", **fields})

        assert (status_and_code(response), why[1] in response.json()["detail"]) == ((403, why[0]), True)

    def test_quota_of_another_project_is_not_disclosed(self, stack: Stack[Any], ready: str) -> None:
        """Callers without access get the error of a Project that does not exist, not that of the quota."""
        with Api(stack, "bob") as bob:
            responses = [bob.submit(name, gpu=gpu) for name in (ready, "team-zzz") for gpu in (1, 5)]

        assert {status_and_code(response) for response in responses} == {(403, "forbidden")}
        assert len({response.json()["detail"] for response in responses}) == 1


class TestQuotaUsedUp:
    """A quota that running Jobs use up."""

    def test_job_that_fits_later_is_created(self, api: Api, full: str) -> None:
        """A Job that fits the quota is created and waits until other Jobs end."""
        name = f"waits-{secrets.token_hex(4)}"

        assert api.submit(full, name=name, gpu=4).status_code == 201
        eventually(
            lambda: api.request("GET", f"/jobs/{full}/{name}").json()["data"][0],
            lambda view: view["reason"] == "PodsNotCreated",
        )

    def test_job_that_never_fits_is_rejected(self, api: Api, full: str) -> None:
        """A Job that exceeds the whole quota is rejected."""
        assert status_and_code(api.submit(full, gpu=5)) == (403, "quota_exceeded")

    def test_replay_returns_the_job(self, api: Api, full: str) -> None:
        """A replay returns the existing Job although the quota is used up."""
        response = api.submit(full, name="all", gpu=4, environment=RUN_FOREVER)

        assert (response.status_code, response.headers["Idempotent-Replayed"]) == (201, "true")

    def test_replay_after_the_quota_was_reduced(self, stack: Stack[Any], api: Api, full: str) -> None:
        """A replay returns the existing Job although the quota would now reject it."""
        quota = {"apiVersion": "v1", "kind": "ResourceQuota"}
        metadata = {"name": "researcher-project", "namespace": f"researcher-{full}"}
        stack.cluster.apply([{**quota, "metadata": metadata, "spec": {"hard": {"requests.nvidia.com/gpu": "2"}}}])
        eventually(lambda: api.submit(full, gpu=4).status_code, lambda status: status == 403)

        response = api.submit(full, name="all", gpu=4, environment=RUN_FOREVER)

        assert (response.status_code, response.headers["Idempotent-Replayed"]) == (201, "true")
        stack.cluster.apply([{**quota, "metadata": metadata, "spec": {"hard": {"requests.nvidia.com/gpu": "4"}}}])
