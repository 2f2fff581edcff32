"""Objects that somebody made to break a reader: their Project is shown, cleaned up and announced, as its neighbours."""

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
from tests.cluster.json_client import Refused
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

ON_THE_REAL_CLUSTER = cases(400, thorough=4000)
BATCH = 400
LOOKED_AT = cases(12, thorough=1)
"""One of so many Jobs is asked for by itself."""
NAMESPACE = "researcher-team-a"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
PODS, EVENTS = (f"/api/v1/namespaces/{NAMESPACE}/{kind}" for kind in ("pods", "events"))
_MERGE = [("Content-Type", "application/merge-patch+json")]
_DEEP = '{"f:a":' * 9_995 + "{}" + "}" * 9_995


def write(cluster: Cluster, seed: int) -> str | None:
    """Write the Job of that *seed*, and what belongs to it; its name, or None where the cluster takes no such Job."""
    nonce = random.Random(seed)  # noqa: S311 - repeatable on purpose
    job = hostile_job(nonce, f"odd-{seed}")
    name: str = job["metadata"]["name"]
    if isinstance(cluster, EmbeddedCluster):
        cluster.apply([job])
        return name
    admin = cluster.plane.admin
    manage_elsewhere(nonce, job)
    try:
        made = admin.create(JOBS, job)
    except Refused:
        return None
    with suppress(Refused):
        admin.request("PATCH", f"{JOBS}/{name}/status", {"status": hostile_status(nonce)}, _MERGE)
    if seed % 4 == 0:
        with suppress(Refused):
            pod = admin.create(PODS, hostile_pod(nonce, made, seed))
            path = f"{PODS}/{pod['metadata']['name']}/status"
            admin.request("PATCH", path, {"status": hostile_pod_status(nonce)}, _MERGE)
    if seed % 4 == 1:
        with suppress(Refused):
            admin.create(EVENTS, hostile_event(nonce, made, seed))
    if "finalizers" in job["metadata"]:
        admin.delete(f"{JOBS}/{name}")
    return name


def remove_all(cluster: Cluster) -> None:
    """Remove every Job of team-a, whatever keeps it."""
    if isinstance(cluster, EmbeddedCluster):
        with cluster.store.lock:
            for one in list(cluster.store.all(JOB, NAMESPACE)):
                cluster.store.remove(JOB, NAMESPACE, one["metadata"]["name"])
        return
    admin = cluster.plane.admin
    admin.delete(JOBS, propagationPolicy="Background")
    for one in admin.get(JOBS)["items"]:
        # Not by a patch: the API server cannot read again what it has stored of year 10000.
        kept = {name: one["metadata"][name] for name in ("name", "resourceVersion")} | {"managedFields": [{}]}
        with suppress(Refused):
            admin.request("PUT", f"{JOBS}/{kept['name']}", {**one, "metadata": kept, "status": {}})
    eventually(lambda: admin.get(JOBS)["items"], lambda items: not items)


def listed(api: Api, limit: int) -> set[str]:
    """The names of all Jobs of team-a, page by page, each of which is as the document says."""
    found: set[str] = set()
    token = ""
    while True:
        answer = api.ask("GET", f"/jobs/team-a?limit={limit}{token}")
        assert answer.status_code == 200, answer.text
        page = msgspec.json.decode(answer.content, type=JobPage)
        assert not found & {one.name for one in page.data}
        found |= {one.name for one in page.data}
        if page.next_page_token is None:
            return found
        token = f"&pageToken={page.next_page_token}"


def looked_at(api: Api, name: str) -> set[int]:
    """The statuses of all that is asked of one Job."""
    paths = [f"/jobs/team-a/{name}{part}" for part in ("", "/diagnosis", "/events", "/logs")]
    return {api.ask("GET", path).status_code for path in paths}


def unforeseen(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The failures in *report* of a whole Project, or of a kind that nobody foresaw."""
    return [
        one
        for one in report["failures"]
        if one["name"] is None or one["code"] in {"internal_error", "cluster_unavailable", "storage_unavailable"}
    ]


def neighbour(api: Api, name: str) -> None:
    """A Job of the Project beside it, which has ended, and may go."""
    api.submit("team-shared", name=name, ttlAfterFinish=1)
    api.await_status(name, project="team-shared")


def test_generated_objects(stack: Stack[Cluster], api: Api, scheduled: Scheduled, counter: Counter) -> None:
    """Every Job is listed, and shown by itself; each run goes through, and the neighbour's Job is told of and goes."""
    real = not isinstance(stack.cluster, EmbeddedCluster)
    total, accepted = (ON_THE_REAL_CLUSTER if real else CASES), 0
    seeds = iter(range(10 * total))
    while accepted < total:
        with ThreadPoolExecutor(4) as pool:
            tried = [next(seeds) for _ in range(min(BATCH, total - accepted))]
            there = {name for name in pool.map(lambda seed: write(stack.cluster, seed), tried) if name}
        accepted += len(there)
        neighbour(api, beside := f"beside-{tried[0]}")

        assert there == listed(api, 500) & there
        assert there <= listed(api, 100)
        assert api.ask("GET", "/projects/team-a").status_code == 200
        odd = {name: looked_at(api, name) for name in sorted(there)[::LOOKED_AT]}
        assert {name: statuses for name, statuses in odd.items() if max(statuses) >= 500} == {}
        assert unforeseen(announced := scheduled.announce()) == []
        assert announced["announced"] >= 1
        assert [one["detail"]["name"] for one in scheduled.heard(beside)] == [beside]
        assert unforeseen(scheduled.clean_up(dry_run=True)) == []
        report = eventually(scheduled.clean_up, lambda report: _has_gone(report, beside))
        assert unforeseen(report) == []
        assert api.ask("DELETE", f"/jobs/team-a/{max(there, key=len)}").status_code in {200, 404}
        remove_all(stack.cluster)
    counter.tried(accepted)


def _has_gone(report: dict[str, Any], name: str) -> bool:
    return {"project": "team-shared", "name": name} in report["jobs"]


def test_job_of_ten_thousand_levels(stack: Stack[Cluster], api: Api, scheduled: Scheduled) -> None:
    """Its managedFields, and what it says was asked, are as deep as the cluster takes them; it goes like any other."""
    metadata = {
        "name": "deep", "labels": {"app.kubernetes.io/managed-by": "researcher-api"},
        "annotations": {"researcher.dev/retention": "1s", "researcher.dev/submission": _DEEP.replace("f:", "")},
    }  # fmt: skip
    job = hostile_job(random.Random(0), "deep") | {"metadata": {**metadata, "namespace": NAMESPACE}}  # noqa: S311
    job["spec"] = {"template": job["spec"]["template"], "completions": 0}
    _create_deep(stack.cluster, job)
    neighbour(api, "beside-deep")
    api.await_status("deep", "Succeeded")

    assert "deep" in listed(api, 500)
    assert unforeseen(scheduled.announce()) == []
    report = eventually(scheduled.clean_up, lambda report: _has_gone(report, "beside-deep"))

    assert unforeseen(report) == []
    eventually(lambda: "deep" in listed(api, 500), lambda there: not there)
    assert [receipt["submission"] for _, receipt in scheduled.receipts("deep")] == [None, None]


def _create_deep(cluster: Cluster, job: Document) -> None:
    """Create *job* with managedFields of 9,995 levels, which no encoder of ours writes; the embedded one has none."""
    if isinstance(cluster, EmbeddedCluster):
        cluster.apply([job])
        return
    entry = {"manager": "m", "operation": "Update", "apiVersion": "batch/v1", "fieldsType": "FieldsV1", "fieldsV1": "@"}
    job["metadata"]["managedFields"] = [entry]
    cluster.plane.admin.send("POST", JOBS, json.dumps(job).replace('"@"', _DEEP))


def test_large_jobs(stack: Stack[Cluster], api: Api, scheduled: Scheduled) -> None:
    """By the API alone: together they are larger than what is read of an answer, because Go escapes what they hold."""
    few = 30
    environment = {f"A{number}": "<" * 8100 for number in range(7)}
    for number in range(few):
        made = api.submit(name=f"fat-{number}", environment=environment)
        assert made.status_code == 201, made.text
    assert few * 7 * 8100 * 12 > MAX_RESPONSE
    neighbour(api, "beside-fat")

    assert {f"fat-{number}" for number in range(few)} <= listed(api, 500)
    assert api.ask("GET", "/projects/team-a").json()["complete"]
    assert unforeseen(scheduled.announce()) == []
    report = eventually(scheduled.clean_up, lambda report: _has_gone(report, "beside-fat"))
    assert unforeseen(report) == []
    remove_all(stack.cluster)
