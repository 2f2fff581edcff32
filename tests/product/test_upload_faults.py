"""Uploads while a tenth of all requests to the cluster and to S3 are lost, delayed or rejected."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.aws import bucket
from chalicelib.domain.errors import ResearcherError
from infra.local.local_stack import Stack
from infra.localcluster.kinds import JOB
from tests.cluster import fault_proxy
from tests.cluster.fault_proxy import FAULTS, FaultProxy, Faulty
from tests.support.sizes import cases
from tests.support.uploads import Uploads, handle_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from infra.localcluster.cluster import EmbeddedCluster
    from tests.cluster.real_cluster import RealCluster

    AnyCluster = EmbeddedCluster | RealCluster
    Record = dict[str, Any]

OBJECTS = cases(40, thorough=1_000)
DELIVERIES, CONCURRENT, RATE, TRIES = 5, 32, 0.1, 3
NAMESPACE = "researcher-team-a"
QUOTA = {"count/jobs.batch": "10k", "pods": "0"}
"""A quota for every Job and for no pod: Jobs without pods are cheap."""
NO_PREFLIGHT = {"PREFLIGHT": "off"}
"""Preflight would reject each Job, because the quota allows no pod."""

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def faulty(
    make_cluster: Callable[..., AnyCluster], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[Stack[Faulty[AnyCluster]], FaultProxy]]:
    """Start the local cloud, with faults between the functions and the cluster, and between them and S3."""
    monkeypatch.setattr(fault_proxy, "HANG_SECONDS", 3.5)  # longer than the functions' read timeout for S3
    with Stack(lambda review: Faulty(make_cluster(review), RATE), environment=NO_PREFLIGHT) as stack:
        metadata = {"name": "researcher-project", "namespace": NAMESPACE}
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": QUOTA}}
        stack.cluster.apply([quota])
        with FaultProxy(stack.aws.url, stack.cluster.ca_pem, RATE) as s3:
            (tmp_path / "ca.pem").write_text(s3.ca_pem)
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.url)
            monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
            bucket.connect.cache_clear()
            yield stack, s3


def document(number: int) -> tuple[str, bytes]:
    """Return key and content of the file of that number: every second one sets a name, two thirds are YAML."""
    named = {"name": f"named-{number}"} if number % 2 else {}
    content = {"image": "busybox", "labels": {"number": str(number)}, **named}
    extension = "yaml" if number % 3 else "json"
    return f"submit/team-a/{number}.{extension}", json.dumps(content).encode()


def deliver(record: Record) -> bool:
    """Send the event up to three times, as Lambda does, and return whether the function succeeded."""
    for _ in range(TRIES):
        try:
            handle_records(record)
        except ResearcherError:
            continue
        return True
    return False


def test_every_upload_becomes_one_job(faulty: tuple[Stack[Faulty[AnyCluster]], FaultProxy]) -> None:
    """Five deliveries of each event, shuffled and concurrent, create one Job; failed events are sent again."""
    stack, s3 = faulty
    uploads = Uploads(stack)
    records = [uploads.put(*document(number)) for number in range(OBJECTS)] * DELIVERIES
    random.Random(0).shuffle(records)  # noqa: S311 - repeatable on purpose
    with ThreadPoolExecutor(CONCURRENT) as pool:
        failed = [record for record, done in zip(records, pool.map(deliver, records), strict=True) if not done]
        while failed:
            failed = [record for record, done in zip(failed, pool.map(deliver, failed), strict=True) if not done]

    jobs = stack.cluster.cluster.find(JOB, NAMESPACE)
    numbers = {each["metadata"]["uid"]: each["metadata"]["labels"]["number"] for each in jobs}
    statuses = uploads.statuses()
    assert sorted(numbers.values()) == sorted(str(number) for number in range(OBJECTS))
    assert {key: numbers.get(status.get("id")) for key, status in statuses.items()} == {
        f"status/{document(number)[0].removeprefix('submit/')}.json": str(number) for number in range(OBJECTS)
    }
    assert all(proxy.fault_counts[fault] > 0 for proxy in (s3, stack.cluster.proxy) for fault in FAULTS)
