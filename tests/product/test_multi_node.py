"""Jobs on several nodes: their pods find each other, and none is ever half made for long."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from infra.localcluster.kinds import JOB, POD, SERVICE
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from tests.support.api import Api
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.local.local_stack import Stack

NAMESPACE = "researcher-team-a"
RUNS_ON = {SIMULATE_VARIABLE: "run-forever"}
INDEX = "batch.kubernetes.io/job-completion-index"


def stored(stack: Stack, name: str, namespace: str = NAMESPACE) -> dict[str, Any] | None:
    """The Job as the cluster has it, or None."""
    jobs = stack.cluster.find(JOB, namespace)
    return next((job for job in jobs if job["metadata"]["name"] == name), None)


def services(stack: Stack, uid: str, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    """The Services that the Job with *uid* owns."""
    found = stack.cluster.find(SERVICE, namespace)
    return [one for one in found if _owner(one) == uid]


def pods(stack: Stack, uid: str) -> list[dict[str, Any]]:
    """The pods of the Job with *uid*, by rank."""
    found = [pod for pod in stack.cluster.find(POD, NAMESPACE) if _owner(pod) == uid]
    return sorted(found, key=lambda pod: int(pod["metadata"]["annotations"][INDEX]))


def half(stack: Stack, api: Api, name: str) -> None:
    """Leaves the Job as a Lambda leaves it that ends after its first call."""
    asked = {"project": "team-a", "image": "busybox", "name": name, "nodes": 2, "environment": RUNS_ON}
    manifest = api.ask("POST", "/jobs?dryRun=true", json=asked).json()
    metadata = {key: manifest["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    spec = {key: value for key, value in manifest["spec"].items() if key != "selector"}
    for label in ("controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"):
        spec["template"]["metadata"]["labels"].pop(label, None)
    marked = {**metadata, "annotations": {**metadata["annotations"], INCOMPLETE_ANNOTATION: ""}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": marked, "spec": {**spec, "suspend": True}}
    stack.cluster.apply([job])


@pytest.fixture
def name(api: Api) -> Iterator[str]:
    """The name of a Job of the test's own."""
    name = f"nodes-{secrets.token_hex(4)}"
    yield name
    api.ask("DELETE", f"/jobs/team-a/{name}")


class TestRendezvous:
    """The objects by which pods find each other."""

    def test_every_pod_has_a_name_in_the_service(self, stack: Stack, api: Api, name: str) -> None:
        """Host name, subdomain, Service and its selector fit together, and the first pod's name is the master's."""
        uid = api.submit(name=name, nodes=3, gpu=2, environment=RUNS_ON).json()["id"]

        found = eventually(lambda: pods(stack, uid), lambda pods: len(pods) == 3)
        (service,) = services(stack, uid)
        called = service["metadata"]["name"]
        assert [pod["spec"]["hostname"] for pod in found] == [f"{name}-{rank}" for rank in range(3)]
        assert {pod["spec"]["subdomain"] for pod in found} == {called}
        assert (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"]) == ("None", True)
        selector = service["spec"]["selector"].items()
        assert all(selector <= pod["metadata"]["labels"].items() for pod in found)
        variables = [{one["name"]: one for one in pod["spec"]["containers"][0]["env"]} for pod in found]
        assert {one["MASTER_ADDR"]["value"] for one in variables} == {f"{name}-0.{called}"}
        assert {one["NNODES"]["value"] for one in variables} == {"3"}
        paths = {one["NODE_RANK"]["valueFrom"]["fieldRef"]["fieldPath"] for one in variables}
        assert paths == {f"metadata.annotations['{INDEX}']"}

    def test_asks_for_the_gpus_of_all(self, api: Api, name: str) -> None:
        """The view counts every node's."""
        assert api.submit(name=name, nodes=3, gpu=2).json()["requestedGPUs"] == 6

    def test_service_goes_with_the_job(self, stack: Stack, api: Api, name: str) -> None:
        """Nothing of it stays."""
        uid = api.submit(name=name, nodes=2).json()["id"]

        api.ask("DELETE", f"/jobs/team-a/{name}")

        eventually(lambda: services(stack, uid), lambda found: not found)

    def test_name_may_be_long_and_begin_with_a_digit(self, stack: Stack, api: Api) -> None:
        """A Job's may; what is named after it follows other rules."""
        name = f"7{secrets.token_hex(25)}x"
        uid = api.submit(name=name, nodes=2, environment=RUNS_ON).json()["id"]

        found = eventually(lambda: pods(stack, uid), lambda pods: len(pods) == 2)

        assert [pod["spec"]["hostname"] for pod in found] == [f"{name}-0", f"{name}-1"]
        api.ask("DELETE", f"/jobs/team-a/{name}")

    def test_same_name_again_at_once(self, stack: Stack, api: Api, name: str) -> None:
        """The Service of the Job before may be there still: it is another's, and goes without harm."""
        first = api.submit(name=name, nodes=2).json()["id"]
        api.ask("DELETE", f"/jobs/team-a/{name}")
        answer = api.submit_until_made(name=name, nodes=2, environment=RUNS_ON)

        second = answer.json()["id"]
        eventually(lambda: services(stack, first), lambda found: not found)
        assert (answer.status_code, len(services(stack, second))) == (201, 1)

    def test_many_at_once_make_one(self, stack: Stack, api: Api, name: str) -> None:
        """One Job, one Service, whoever completes it."""
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda _: api.submit_until_made(name=name, nodes=2), range(32)))

        assert {answer.status_code for answer in answers} == {201}
        (uid,) = {answer.json()["id"] for answer in answers}
        assert len(services(stack, uid)) == 1


class TestHalfMade:
    """A Job whose Lambda ended between two calls."""

    def test_waits_and_says_why(self, stack: Stack, api: Api, name: str) -> None:
        """It takes no GPU."""
        half(stack, api, name)

        view = api.ask("GET", f"/jobs/team-a/{name}").json()["data"][0]

        assert (view["status"], view["reason"], view["pods"]["active"]) == ("Suspended", "Incomplete", 0)

    def test_same_request_completes_it(self, stack: Stack, api: Api, name: str) -> None:
        """The answer is that of a replay, and the pods come."""
        half(stack, api, name)

        answer = api.ask(
            "POST",
            "/jobs",
            json={"project": "team-a", "image": "busybox", "name": name, "nodes": 2, "environment": RUNS_ON},
        )

        assert (answer.status_code, answer.headers["Idempotent-Replayed"]) == (201, "true")
        uid = answer.json()["id"]
        eventually(lambda: pods(stack, uid), lambda pods: len(pods) == 2)
        (service,) = services(stack, uid)
        assert {pod["spec"]["subdomain"] for pod in pods(stack, uid)} == {service["metadata"]["name"]}

    def test_other_request_leaves_it(self, stack: Stack, api: Api, name: str) -> None:
        """The name is taken; nothing is started."""
        half(stack, api, name)

        answer = api.submit(name=name, nodes=3)

        assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
        job = stored(stack, name)
        assert job is not None
        assert job["spec"]["suspend"] is True

    def test_no_room_for_the_service_leaves_nothing(self, stack: Stack) -> None:
        """The quota refuses the second call: the Job of the first one is taken back."""
        namespace = "researcher-team-b"
        _bound_services(stack, namespace, "0")
        with Api(stack, "bob") as bob:
            answer = eventually(
                lambda: bob.submit("team-b", name=f"none-{secrets.token_hex(4)}", nodes=2),
                lambda answer: answer.status_code != 201,  # the API server's own copy of the quota follows
            )
            left = bob.names("team-b")
        _bound_services(stack, namespace, "100")

        assert (answer.status_code, answer.json()["code"]) == (403, "quota_exceeded")
        assert all(len(services(stack, _uid(stack, one, namespace), namespace)) == 1 for one in left)


class TestRefused:
    """What contradicts `nodes`: nothing is made."""

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
        """422, and the field is named."""
        answer = api.submit(name=name, **fields)

        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/nodes")
        assert stored(stack, name) is None


def _owner(document: dict[str, Any]) -> str | None:
    owners = document["metadata"].get("ownerReferences", [])
    return str(owners[0]["uid"]) if owners else None


def _uid(stack: Stack, name: str, namespace: str) -> str:
    job = stored(stack, name, namespace)
    assert job is not None
    return str(job["metadata"]["uid"])


def _bound_services(stack: Stack, namespace: str, count: str) -> None:
    metadata = {"name": "services", "namespace": namespace}
    spec = {"hard": {"count/services": count}}
    stack.cluster.apply([{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec}])
