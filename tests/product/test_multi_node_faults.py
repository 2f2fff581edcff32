"""Multi-node Jobs while a third of all requests to the cluster are lost, delayed or rejected."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.domain.labels import INCOMPLETE_ANNOTATION
from infra.local.local_stack import Stack
from infra.localcluster.kinds import JOB, SERVICE
from tests.cluster.fault_proxy import FAULTS, Faulty
from tests.product.test_faults import NO_PREFLIGHT
from tests.support.api import Api
from tests.support.eventually import eventually
from tests.support.sizes import cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.localcluster.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster

    AnyCluster = EmbeddedCluster | RealCluster

SUBMISSIONS = cases(24, thorough=100)
CONCURRENT = 32
RATE = 0.3
NAMESPACE = "researcher-team-a"

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def faulty(make_cluster: Callable[..., AnyCluster]) -> Iterator[Stack[Faulty[AnyCluster]]]:
    """Start the local cloud, with faults between the functions and the cluster, and a quota without pods."""
    with Stack(lambda review: Faulty(make_cluster(review), RATE), environment=NO_PREFLIGHT) as stack:
        metadata = {"name": "researcher-project", "namespace": NAMESPACE}
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "0"}}}
        stack.cluster.apply([quota])
        yield stack


def submit(api: Api, number: int) -> str:
    """Submit the Job of that number until it exists, and return its id."""
    key = {"Idempotency-Key": f"nodes {number}"}
    while (
        response := api.submit_until_created(headers=key, nodes=2, labels={"number": str(number)})
    ).status_code == 409:
        assert response.json()["code"] == "job_being_deleted"  # an attempt of this test was being rolled back
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def test_every_job_is_complete_and_created_once(faulty: Stack[Faulty[AnyCluster]]) -> None:
    """Every 201 names a started Job with its Service; no incomplete Job and no orphaned Service remains."""
    with Api(faulty) as api, ThreadPoolExecutor(CONCURRENT) as pool:
        api.request("GET", "/projects")  # keys and credentials are cached from here on, even if the cluster fails
        ids = list(pool.map(lambda number: submit(api, number), range(SUBMISSIONS)))

    cluster = faulty.cluster.cluster
    jobs = cluster.find(JOB, NAMESPACE)
    numbers = Counter(job["metadata"]["labels"]["number"] for job in jobs)
    assert numbers == Counter(str(number) for number in range(SUBMISSIONS))
    assert set(ids) == {job["metadata"]["uid"] for job in jobs}
    assert [job["metadata"]["name"] for job in jobs if job["spec"]["suspend"] or _is_incomplete(job)] == []
    eventually(
        lambda: Counter(map(_service_owner, cluster.find(SERVICE, NAMESPACE))),
        lambda found: found == Counter(map(_job_service, jobs)),
    )
    assert all(faulty.cluster.proxy.fault_counts[fault] > 0 for fault in FAULTS)


def _is_incomplete(job: dict[str, Any]) -> bool:
    return INCOMPLETE_ANNOTATION in job["metadata"]["annotations"]


def _service_owner(service: dict[str, Any]) -> tuple[str, str]:
    (owner,) = service["metadata"]["ownerReferences"]
    return service["metadata"]["name"], owner["uid"]


def _job_service(job: dict[str, Any]) -> tuple[str, str]:
    return job["spec"]["template"]["spec"]["subdomain"], job["metadata"]["uid"]
