"""Hostile objects: their Project and the other Projects can be listed, cleaned up and announced."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from chalicelib.adapters.kubernetes.api_client import MAX_RESPONSE
from chalicelib.usecases.list_jobs import JobPage
from infra.localcluster.cluster import EmbeddedCluster
from infra.localcluster.kinds import JOB
from tests.cluster.json_client import ErrorResponse
from tests.security.attacks import CASES
from tests.security.hostile_objects import (
    Document,
    hostile_event,
    hostile_job,
    hostile_pod,
    hostile_pod_status,
    hostile_status,
    manage_elsewhere,
)
from tests.support.eventually import eventually
from tests.support.sizes import cases

if TYPE_CHECKING:
    from infra.local.local_stack import Stack
    from tests.cluster.real_cluster import RealCluster
    from tests.support.api import Api
    from tests.support.attack_recorder import Counter
    from tests.support.scheduled_functions import Scheduled

    Cluster = EmbeddedCluster | RealCluster

pytestmark = pytest.mark.attack("objects")

REAL_CLUSTER_CASES = cases(400, thorough=4000)
BATCH = 400
SAMPLE_STEP = cases(12, thorough=1)
"""One in this many Jobs is also read by itself."""
NAMESPACE = "researcher-team-a"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
PODS, EVENTS = (f"/api/v1/namespaces/{NAMESPACE}/{kind}" for kind in ("pods", "events"))
_MERGE = [("Content-Type", "application/merge-patch+json")]
_DEEP = '{"f:a":' * 9_995 + "{}" + "}" * 9_995


def write(cluster: Cluster, seed: int) -> str | None:
    """Create the Job of that *seed*, and its pods and events.

    Return its name, or None if the cluster rejects the Job.
    """
    nonce = random.Random(seed)  # noqa: S311 - repeatable on purpose
    job = hostile_job(nonce, f"odd-{seed}")
    name: str = job["metadata"]["name"]
    if isinstance(cluster, EmbeddedCluster):
        cluster.apply([job])
        return name
    admin = cluster.plane.admin
    manage_elsewhere(nonce, job)
    try:
        created = admin.create(JOBS, job)
    except ErrorResponse:
        return None
    with suppress(ErrorResponse):
        admin.request("PATCH", f"{JOBS}/{name}/status", {"status": hostile_status(nonce)}, _MERGE)
    if seed % 4 == 0:
        with suppress(ErrorResponse):
            pod = admin.create(PODS, hostile_pod(nonce, created, seed))
            path = f"{PODS}/{pod['metadata']['name']}/status"
            admin.request("PATCH", path, {"status": hostile_pod_status(nonce)}, _MERGE)
    if seed % 4 == 1:
        with suppress(ErrorResponse):
            admin.create(EVENTS, hostile_event(nonce, created, seed))
    if "finalizers" in job["metadata"]:
        admin.delete(f"{JOBS}/{name}")
    return name


def remove_all(cluster: Cluster) -> None:
    """Delete every Job of team-a, including those with finalizers."""
    if isinstance(cluster, EmbeddedCluster):
        with cluster.store.lock:
            for each in list(cluster.store.all(JOB, NAMESPACE)):
                cluster.store.remove(JOB, NAMESPACE, each["metadata"]["name"])
        return
    admin = cluster.plane.admin
    admin.delete(JOBS, propagationPolicy="Background")
    for each in admin.get(JOBS)["items"]:
        # Not with a patch: the API server cannot decode what it has stored of the year 10000.
        metadata = {name: each["metadata"][name] for name in ("name", "resourceVersion")} | {"managedFields": [{}]}
        with suppress(ErrorResponse):
            admin.request("PUT", f"{JOBS}/{metadata['name']}", {**each, "metadata": metadata, "status": {}})
    eventually(lambda: admin.get(JOBS)["items"], lambda items: not items)


def list_all(api: Api, limit: int) -> set[str]:
    """Return the names of all Jobs of team-a from all pages, whose items must conform to the OpenAPI document."""
    found: set[str] = set()
    token = ""
    while True:
        response = api.request("GET", f"/jobs/team-a?limit={limit}{token}")
        assert response.status_code == 200, response.text
        page = msgspec.json.decode(response.content, type=JobPage)
        assert not found & {each.name for each in page.data}
        found |= {each.name for each in page.data}
        if page.next_page_token is None:
            return found
        token = f"&pageToken={page.next_page_token}"


def read_all(api: Api, name: str) -> set[int]:
    """Return the statuses of all requests for one Job."""
    paths = [f"/jobs/team-a/{name}{part}" for part in ("", "/diagnosis", "/events", "/logs")]
    return {api.request("GET", path).status_code for path in paths}


def internal_failures(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the failures in *report* of a whole Project or with an internal code."""
    return [
        each
        for each in report["failures"]
        if each["name"] is None or each["code"] in {"internal_error", "cluster_unavailable", "storage_unavailable"}
    ]


def create_other(api: Api, name: str) -> None:
    """Create a Job with an expired retention in another Project, and wait until it has ended."""
    api.submit("team-shared", name=name, ttlAfterFinish=1)
    api.await_status(name, project="team-shared")


def test_generated_objects(stack: Stack[Cluster], api: Api, scheduled: Scheduled, counter: Counter) -> None:
    """Every generated Job can be listed and read; the scheduled functions handle the other Project's Job as well."""
    real = not isinstance(stack.cluster, EmbeddedCluster)
    total, accepted = (REAL_CLUSTER_CASES if real else CASES), 0
    seeds = iter(range(10 * total))
    while accepted < total:
        with ThreadPoolExecutor(4) as pool:
            tried = [next(seeds) for _ in range(min(BATCH, total - accepted))]
            names = {name for name in pool.map(lambda seed: write(stack.cluster, seed), tried) if name}
        accepted += len(names)
        create_other(api, other := f"other-{tried[0]}")

        assert names == list_all(api, 500) & names
        assert names <= list_all(api, 100)
        assert api.request("GET", "/projects/team-a").status_code == 200
        statuses_by_name = {name: read_all(api, name) for name in sorted(names)[::SAMPLE_STEP]}
        assert {name: statuses for name, statuses in statuses_by_name.items() if max(statuses) >= 500} == {}
        assert internal_failures(announced := scheduled.announce()) == []
        assert announced["announced"] >= 1
        assert [each["detail"]["name"] for each in scheduled.receive_events(other)] == [other]
        assert internal_failures(scheduled.clean_up(dry_run=True)) == []
        report = eventually(scheduled.clean_up, lambda report: _was_deleted(report, other))
        assert internal_failures(report) == []
        assert api.request("DELETE", f"/jobs/team-a/{max(names, key=len)}").status_code in {200, 404}
        remove_all(stack.cluster)
    counter.count(accepted)


def _was_deleted(report: dict[str, Any], name: str) -> bool:
    return {"project": "team-shared", "name": name} in report["jobs"]


def test_deeply_nested_job(stack: Stack[Cluster], api: Api, scheduled: Scheduled) -> None:
    """A Job with managedFields and a submission of 10,000 levels is listed and cleaned up as any other."""
    metadata = {
        "name": "deep", "labels": {"app.kubernetes.io/managed-by": "researcher-api"},
        "annotations": {"researcher.dev/retention": "1s", "researcher.dev/submission": _DEEP.replace("f:", "")},
    }  # fmt: skip
    job = hostile_job(random.Random(0), "deep") | {"metadata": {**metadata, "namespace": NAMESPACE}}  # noqa: S311
    job["spec"] = {"template": job["spec"]["template"], "completions": 0}
    _create_deep(stack.cluster, job)
    create_other(api, "other-deep")
    api.await_status("deep", "Succeeded")

    assert "deep" in list_all(api, 500)
    assert internal_failures(scheduled.announce()) == []
    report = eventually(scheduled.clean_up, lambda report: _was_deleted(report, "other-deep"))

    assert internal_failures(report) == []
    eventually(lambda: "deep" in list_all(api, 500), lambda names: not names)
    assert [receipt["submission"] for _, receipt in scheduled.receipts("deep")] == [None, None]


def _create_deep(cluster: Cluster, job: Document) -> None:
    """Create *job* with managedFields of 9,995 levels, as text, because no encoder writes them.

    The embedded cluster has no managedFields.
    """
    if isinstance(cluster, EmbeddedCluster):
        cluster.apply([job])
        return
    entry = {"manager": "m", "operation": "Update", "apiVersion": "batch/v1", "fieldsType": "FieldsV1", "fieldsV1": "@"}
    job["metadata"]["managedFields"] = [entry]
    cluster.plane.admin.send("POST", JOBS, json.dumps(job).replace('"@"', _DEEP))


def test_large_jobs(stack: Stack[Cluster], api: Api, scheduled: Scheduled) -> None:
    """Jobs through the API alone may exceed the limit of a response in total, because Go escapes their characters."""
    count = 30
    environment = {f"A{number}": "<" * 8100 for number in range(7)}
    for number in range(count):
        created = api.submit(name=f"large-{number}", environment=environment)
        assert created.status_code == 201, created.text
    assert count * 7 * 8100 * 12 > MAX_RESPONSE
    create_other(api, "other-large")

    assert {f"large-{number}" for number in range(count)} <= list_all(api, 500)
    assert api.request("GET", "/projects/team-a").json()["complete"]
    assert internal_failures(scheduled.announce()) == []
    report = eventually(scheduled.clean_up, lambda report: _was_deleted(report, "other-large"))
    assert internal_failures(report) == []
    remove_all(stack.cluster)
