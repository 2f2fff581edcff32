"""Multi-node Jobs: the pods find each other, and an incomplete Job is completed or deleted."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from infra.localcluster.kinds import JOB, POD, SERVICE
from infra.localcluster.simulation import SIMULATE_VARIABLE
from tests.support.api import Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack

NAMESPACE = "researcher-team-a"
RUN_FOREVER = {SIMULATE_VARIABLE: "run-forever"}
INDEX = "batch.kubernetes.io/job-completion-index"


def stored_job(stack: Stack, name: str, namespace: str = NAMESPACE) -> dict[str, Any] | None:
    """Return the stored Job, or None."""
    jobs = stack.cluster.find(JOB, namespace)
    return next((job for job in jobs if job["metadata"]["name"] == name), None)


def services(stack: Stack, uid: str, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    """Return the Services that the Job with *uid* owns."""
    found = stack.cluster.find(SERVICE, namespace)
    return [each for each in found if _owner(each) == uid]


def pods(stack: Stack, uid: str) -> list[dict[str, Any]]:
    """Return the pods of the Job with *uid*, by rank."""
    found = [pod for pod in stack.cluster.find(POD, NAMESPACE) if _owner(pod) == uid]
    return sorted(found, key=lambda pod: int(pod["metadata"]["annotations"][INDEX]))


def create_incomplete(stack: Stack, api: Api, name: str) -> None:
    """Create an incomplete Job, as a Lambda that ends after its first call leaves it."""
    body = {"project": "team-a", "image": "busybox", "name": name, "nodes": 2, "environment": RUN_FOREVER}
    manifest = api.request("POST", "/jobs?dryRun=true", json=body).json()
    metadata = {key: manifest["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    spec = {key: value for key, value in manifest["spec"].items() if key != "selector"}
    for label in ("controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"):
        spec["template"]["metadata"]["labels"].pop(label, None)
    incomplete = {**metadata, "annotations": {**metadata["annotations"], INCOMPLETE_ANNOTATION: ""}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": incomplete, "spec": {**spec, "suspend": True}}
    stack.cluster.apply([job])


@pytest.fixture
def name(api: Api) -> Iterator[str]:
    """Return a unique Job name, and delete the Job afterwards."""
    name = f"nodes-{secrets.token_hex(4)}"
    yield name
    api.request("DELETE", f"/jobs/team-a/{name}")


class TestRendezvous:
    """The objects by which pods find each other."""

    def test_pods_have_dns_names(self, stack: Stack, api: Api, name: str) -> None:
        """Host name, subdomain, Service and selector match, and MASTER_ADDR is the first pod's name."""
        uid = api.submit(name=name, nodes=3, gpu=2, environment=RUN_FOREVER).json()["id"]

        found = eventually(lambda: pods(stack, uid), lambda pods: len(pods) == 3)
        (service,) = services(stack, uid)
        service_name = service["metadata"]["name"]
        assert [pod["spec"]["hostname"] for pod in found] == [f"{name}-{rank}" for rank in range(3)]
        assert {pod["spec"]["subdomain"] for pod in found} == {service_name}
        assert (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"]) == ("None", True)
        selector = service["spec"]["selector"].items()
        assert all(selector <= pod["metadata"]["labels"].items() for pod in found)
        variables = [{each["name"]: each for each in pod["spec"]["containers"][0]["env"]} for pod in found]
        assert {each["MASTER_ADDR"]["value"] for each in variables} == {f"{name}-0.{service_name}"}
        assert {each["NNODES"]["value"] for each in variables} == {"3"}
        paths = {each["NODE_RANK"]["valueFrom"]["fieldRef"]["fieldPath"] for each in variables}
        assert paths == {f"metadata.annotations['{INDEX}']"}

    def test_counts_the_gpus_of_all_nodes(self, api: Api, name: str) -> None:
        """The view counts the GPUs of all nodes."""
        assert api.submit(name=name, nodes=3, gpu=2).json()["requestedGPUs"] == 6

    def test_service_is_deleted_with_the_job(self, stack: Stack, api: Api, name: str) -> None:
        """Deleting the Job deletes its Service."""
        uid = api.submit(name=name, nodes=2).json()["id"]

        api.request("DELETE", f"/jobs/team-a/{name}")

        eventually(lambda: services(stack, uid), lambda found: not found)

    def test_long_name_that_starts_with_a_digit(self, stack: Stack, api: Api) -> None:
        """Names that are valid for a Job but not for a Service work."""
        name = f"7{secrets.token_hex(25)}x"
        uid = api.submit(name=name, nodes=2, environment=RUN_FOREVER).json()["id"]

        found = eventually(lambda: pods(stack, uid), lambda pods: len(pods) == 2)

        assert [pod["spec"]["hostname"] for pod in found] == [f"{name}-0", f"{name}-1"]
        api.request("DELETE", f"/jobs/team-a/{name}")

    def test_same_name_immediately_after_deletion(self, stack: Stack, api: Api, name: str) -> None:
        """A new Job gets its own Service while that of the deleted Job with the same name still exists."""
        first = api.submit(name=name, nodes=2).json()["id"]
        api.request("DELETE", f"/jobs/team-a/{name}")
        response = api.submit_until_created(name=name, nodes=2, environment=RUN_FOREVER)

        second = response.json()["id"]
        eventually(lambda: services(stack, first), lambda found: not found)
        assert (response.status_code, len(services(stack, second))) == (201, 1)

    def test_concurrent_requests_create_one_job(self, stack: Stack, api: Api, name: str) -> None:
        """Concurrent requests create one Job and one Service."""
        with ThreadPoolExecutor(32) as pool:
            responses = list(pool.map(lambda _: api.submit_until_created(name=name, nodes=2), range(32)))

        assert {response.status_code for response in responses} == {201}
        (uid,) = {response.json()["id"] for response in responses}
        assert len(services(stack, uid)) == 1


class TestIncomplete:
    """A Job whose Lambda ended between two calls."""

    def test_is_suspended_with_a_reason(self, stack: Stack, api: Api, name: str) -> None:
        """An incomplete Job is suspended with the reason Incomplete and uses no GPU."""
        create_incomplete(stack, api, name)

        view = api.request("GET", f"/jobs/team-a/{name}").json()["data"][0]

        assert (view["status"], view["reason"], view["pods"]["active"]) == ("Suspended", "Incomplete", 0)

    def test_same_request_completes_it(self, stack: Stack, api: Api, name: str) -> None:
        """The same request completes the Job, starts its pods, and is a replay."""
        create_incomplete(stack, api, name)

        response = api.request(
            "POST",
            "/jobs",
            json={"project": "team-a", "image": "busybox", "name": name, "nodes": 2, "environment": RUN_FOREVER},
        )

        assert (response.status_code, response.headers["Idempotent-Replayed"]) == (201, "true")
        uid = response.json()["id"]
        eventually(lambda: pods(stack, uid), lambda pods: len(pods) == 2)
        (service,) = services(stack, uid)
        assert {pod["spec"]["subdomain"] for pod in pods(stack, uid)} == {service["metadata"]["name"]}

    def test_another_request_does_not_complete_it(self, stack: Stack, api: Api, name: str) -> None:
        """A different request with the same name returns 409 and starts nothing."""
        create_incomplete(stack, api, name)

        response = api.submit(name=name, nodes=3)

        assert (response.status_code, response.json()["code"]) == (409, "name_taken")
        job = stored_job(stack, name)
        assert job is not None
        assert job["spec"]["suspend"] is True

    def test_quota_for_services_is_used_up(self, stack: Stack) -> None:
        """When the quota rejects the Service, the Job is deleted again."""
        namespace = "researcher-team-b"
        _limit_services(stack, namespace, "0")
        with Api(stack, "bob") as bob:
            response = eventually(
                lambda: bob.submit("team-b", name=f"none-{secrets.token_hex(4)}", nodes=2),
                lambda response: response.status_code != 201,  # the API server's quota cache lags behind
            )
            names = bob.names("team-b")
        _limit_services(stack, namespace, "100")

        assert (response.status_code, response.json()["code"]) == (403, "quota_exceeded")
        assert all(len(services(stack, _uid(stack, each, namespace), namespace)) == 1 for each in names)


class TestInvalid:
    """Fields that conflict with `nodes`."""

    @pytest.mark.parametrize(
        "fields",
        [
            {"nodes": 0},
            {"nodes": 257},
            {"nodes": "2"},
            {"nodes": 2, "parallelism": 2},
            {"nodes": 2, "environment": {"NODE_RANK": "0"}},
        ],
    )
    def test_fields(self, stack: Stack, api: Api, name: str, fields: dict[str, Any]) -> None:
        """A value of `nodes` that is invalid or conflicts with another field is 422, and no Job is created."""
        response = api.submit(name=name, **fields)

        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/nodes")
        assert stored_job(stack, name) is None


def _owner(document: dict[str, Any]) -> str | None:
    owners = document["metadata"].get("ownerReferences", [])
    return str(owners[0]["uid"]) if owners else None


def _uid(stack: Stack, name: str, namespace: str) -> str:
    job = stored_job(stack, name, namespace)
    assert job is not None
    return str(job["metadata"]["uid"])


def _limit_services(stack: Stack, namespace: str, count: str) -> None:
    metadata = {"name": "services", "namespace": namespace}
    spec = {"hard": {"count/services": count}}
    stack.cluster.apply([{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec}])
