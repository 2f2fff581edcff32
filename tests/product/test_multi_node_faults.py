"""Jobs on several nodes through a network that loses, delays and refuses a third of all requests."""

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
AT_ONCE = 32
RATE = 0.3
NAMESPACE = "researcher-team-a"

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def faulty(make_cluster: Callable[..., AnyCluster]) -> Iterator[Stack[Faulty[AnyCluster]]]:
    """The local cloud, with faults between the functions and the cluster; no pod finds room."""
    with Stack(lambda review: Faulty(make_cluster(review), RATE), environment=NO_PREFLIGHT) as stack:
        metadata = {"name": "researcher-project", "namespace": NAMESPACE}
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "0"}}}
        stack.cluster.apply([quota])
        yield stack


def submitted(api: Api, number: int) -> str:
    """The id of the Job of that number, which is asked for until it is made."""
    key = {"Idempotency-Key": f"nodes {number}"}
    while (answer := api.submit_until_made(headers=key, nodes=2, labels={"number": str(number)})).status_code == 409:
        assert answer.json()["code"] == "job_being_deleted"  # an attempt of ours was being taken back
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_every_job_is_made_whole_and_once(faulty: Stack[Faulty[AnyCluster]]) -> None:
    """Every 201 names a Job that is started and has its Service; no half of one, and no Service of none, is left."""
    with Api(faulty) as api, ThreadPoolExecutor(AT_ONCE) as pool:
        api.ask("GET", "/projects")  # keys and credentials are there, whatever the cluster says
        ids = list(pool.map(lambda number: submitted(api, number), range(SUBMISSIONS)))

    cluster = faulty.cluster.cluster
    jobs = cluster.find(JOB, NAMESPACE)
    numbers = Counter(job["metadata"]["labels"]["number"] for job in jobs)
    assert numbers == Counter(str(number) for number in range(SUBMISSIONS))
    assert set(ids) == {job["metadata"]["uid"] for job in jobs}
    assert [job["metadata"]["name"] for job in jobs if job["spec"]["suspend"] or _is_marked(job)] == []
    eventually(
        lambda: Counter(map(_owned, cluster.find(SERVICE, NAMESPACE))),
        lambda found: found == Counter(map(_named, jobs)),
    )
    assert all(faulty.cluster.proxy.met[fault] > 0 for fault in FAULTS)


def _is_marked(job: dict[str, Any]) -> bool:
    return INCOMPLETE_ANNOTATION in job["metadata"]["annotations"]


def _owned(service: dict[str, Any]) -> tuple[str, str]:
    (owner,) = service["metadata"]["ownerReferences"]
    return service["metadata"]["name"], owner["uid"]


def _named(job: dict[str, Any]) -> tuple[str, str]:
    return job["spec"]["template"]["spec"]["subdomain"], job["metadata"]["uid"]
