"""Submissions through a network that loses, delays and refuses a third of all requests."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from infra.local.local_stack import Stack
from infra.localcluster.kinds import JOB
from tests.cluster.fault_proxy import FAULTS, Faulty
from tests.support.api import Api
from tests.support.sizes import cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.localcluster.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster

    AnyCluster = EmbeddedCluster | RealCluster

SUBMISSIONS = cases(100, thorough=5_000)
AT_ONCE = 64
RATE = 0.3
NAMESPACE = "researcher-team-a"
ROOMY = {"count/jobs.batch": "10k", "pods": "0"}
NO_PREFLIGHT = {"PREFLIGHT": "off"}
"""Jobs without pods are quick to make, and no Job that the preflight would let pass."""
"""Room for every Job, and for no pod: this is about Jobs alone."""

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def faulty(make_cluster: Callable[..., AnyCluster]) -> Iterator[Stack[Faulty[AnyCluster]]]:
    """The local cloud, with faults between the functions and the cluster."""
    with Stack(lambda review: Faulty(make_cluster(review), RATE), environment=NO_PREFLIGHT) as stack:
        metadata = {"name": "researcher-project", "namespace": NAMESPACE}
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": ROOMY}}
        stack.cluster.apply([quota])
        yield stack


def submitted(api: Api, number: int) -> str:
    """The id of the Job of that number."""
    key = {"Idempotency-Key": f"job {number}"}
    answer = api.submit_until_made(headers=key, labels={"number": str(number)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_every_job_is_made_once(faulty: Stack[Faulty[AnyCluster]]) -> None:
    """Every 201 names a Job that exists; none is lost, and none is there twice."""
    with Api(faulty) as api, ThreadPoolExecutor(AT_ONCE) as pool:
        api.ask("GET", "/projects")  # keys and credentials are there, whatever the cluster says
        ids = list(pool.map(lambda number: submitted(api, number), range(SUBMISSIONS)))

    stored = faulty.cluster.cluster.find(JOB, NAMESPACE)
    numbers = Counter(job["metadata"]["labels"]["number"] for job in stored)
    assert numbers == Counter(str(number) for number in range(SUBMISSIONS))
    assert set(ids) == {job["metadata"]["uid"] for job in stored}
    assert all(faulty.cluster.proxy.met[fault] > 0 for fault in FAULTS)
