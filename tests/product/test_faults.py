"""Submissions while a third of all requests to the cluster are lost, delayed or rejected."""

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
CONCURRENT = 64
RATE = 0.3
NAMESPACE = "researcher-team-a"
QUOTA = {"count/jobs.batch": "10k", "pods": "0"}
"""A quota for every Job and for no pod: Jobs without pods are cheap."""
NO_PREFLIGHT = {"PREFLIGHT": "off"}
"""Preflight would reject each Job, because the quota allows no pod."""

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def faulty(make_cluster: Callable[..., AnyCluster]) -> Iterator[Stack[Faulty[AnyCluster]]]:
    """Start the local cloud, with faults between the functions and the cluster."""
    with Stack(lambda review: Faulty(make_cluster(review), RATE), environment=NO_PREFLIGHT) as stack:
        metadata = {"name": "researcher-project", "namespace": NAMESPACE}
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": QUOTA}}
        stack.cluster.apply([quota])
        yield stack


def submit(api: Api, number: int) -> str:
    """Submit the Job of that number until it exists, and return its id."""
    key = {"Idempotency-Key": f"job {number}"}
    response = api.submit_until_created(headers=key, labels={"number": str(number)})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def test_every_job_is_created_once(faulty: Stack[Faulty[AnyCluster]]) -> None:
    """Every 201 names an existing Job; no Job is lost or created twice."""
    with Api(faulty) as api, ThreadPoolExecutor(CONCURRENT) as pool:
        api.request("GET", "/projects")  # keys and credentials are cached from here on, even if the cluster fails
        ids = list(pool.map(lambda number: submit(api, number), range(SUBMISSIONS)))

    stored = faulty.cluster.cluster.find(JOB, NAMESPACE)
    numbers = Counter(job["metadata"]["labels"]["number"] for job in stored)
    assert numbers == Counter(str(number) for number in range(SUBMISSIONS))
    assert set(ids) == {job["metadata"]["uid"] for job in stored}
    assert all(faulty.cluster.proxy.fault_counts[fault] > 0 for fault in FAULTS)
