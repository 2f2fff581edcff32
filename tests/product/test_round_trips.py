"""The requests that each operation sends: their number, targets and parallelism, in a row for each operation.

`cold` is the first request of a process, whose caches are empty; `warm` the next one, for another Job in the same
state. `2 issuer, sts, cluster|cluster` is five requests in four steps; the number of steps determines the latency.
Always on the embedded cluster, where nothing else sends requests; each existing Job has one pod.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib import functions
from chalicelib.runtime.operation import BASE
from infra.localcluster.simulation import SIMULATE_VARIABLE
from infra.packaging import docs_assets
from tests.support.api import IMAGE
from tests.support.counted_stack import SCHEDULED, UPLOADED, Callers, CountedStack, Request
from tests.support.round_trips import Gate, Trip, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(functions.__file__).parents[1] / "openapi.json"

KEYS = "2 issuer"
"""The discovery document, then the JWKS."""
ROLE = "sts, cluster"
"""AssumeRole, then the groups that the API may impersonate."""
FIRST = f"{KEYS}, {ROLE}"
EVENTS = "cluster|cluster, cluster"
"""The Job's events and its pods in parallel, then the events of each pod: here of one."""
PROJECTS = "cluster|cluster|cluster"
"""One request for each of the three Projects; in a cold process, the groups are also read three times."""
OWN = "cluster|cluster"
"""One request for each of the two Projects of the caller."""
TWO_JOBS = "cluster|cluster"
"""One request for each of the two Jobs that are deleted."""
ANNOUNCED = f"{PROJECTS}, {PROJECTS}, events|events|events, {PROJECTS}"
"""Each Project's Jobs, the pods of its finished Job, its event, its label."""
CLEANED = ", ".join(["4 cluster, 4 s3, cluster"] * 3)
"""In each Project: the list of Jobs, the Job, its pods, its log, two Receipts read and written, its deletion."""

# fmt: off
ROWS = {
    # operation             cold                                               warm
    "health":               ("",                                               ""),
    "health, deep":         (f"{FIRST}, cluster",                              "cluster"),
    "openapi":              ("",                                               ""),
    "sign_in":              ("",                                               ""),
    "docs":                 ("",                                               ""),
    "docs_asset":           ("",                                               ""),
    "get_me":               (f"{KEYS}, sts, cluster, {PROJECTS}, {PROJECTS}",  "cluster"),
    "list_projects":        (f"{KEYS}, sts, cluster, {PROJECTS}, {PROJECTS}",  "cluster"),
    "get_project":          (f"{FIRST}, 5 cluster",                            "4 cluster"),
    "submit_job":           (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "submit_job, dryRun":   (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "submit_job, replayed": (f"{FIRST}, 4 cluster",                            "4 cluster"),
    "submit_job, key":      (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "submit_job, nodes":    (f"{FIRST}, 4 cluster",                            "4 cluster"),
    "submit_job, Secret":   (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "submit_upload":        (f"2 s3, {ROLE}, 2 cluster, s3",                   "2 s3, 2 cluster, s3"),
    "clone_job":            (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "retry_job":            (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "list_all_jobs":        (f"{KEYS}, sts, cluster, {PROJECTS}, {PROJECTS}, {OWN}, cluster",
                             f"cluster, {OWN}, cluster"),
    "list_jobs":            (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "list_jobs, until":     (f"{FIRST}, 4 cluster",                            "4 cluster"),
    "get_job":              (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "get_job, include":     (f"{FIRST}, 3 cluster",                            "2 cluster"),
    "get_job, gone":        (f"{FIRST}, cluster, s3",                          "cluster, s3"),
    "job_diagnosis":        (f"{FIRST}, cluster, {EVENTS}",                    f"cluster, {EVENTS}"),
    "job_events":           (f"{FIRST}, cluster, {EVENTS}",                    f"cluster, {EVENTS}"),
    "job_indexes":          (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "job_logs":             (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "suspend_job":          (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "keep_job":             (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "unkeep_job":           (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "resume_job":           (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "delete_job":           (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "delete_jobs":          (f"{KEYS}, sts, {TWO_JOBS}, {TWO_JOBS}, cluster|s3", f"{TWO_JOBS}, cluster|s3"),
    "delete_matching_jobs": (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "announce":             (f"sts, cluster, {PROJECTS}, {ANNOUNCED}",         f"cluster, {ANNOUNCED}"),
    "self_check":           (f"{KEYS}, sts, 5 cluster",                        "2 issuer, sts, 5 cluster"),
    "cleanup":              (f"{ROLE}, cluster, {CLEANED}",                    f"cluster, {CLEANED}"),
}
# fmt: on
JOB = f"{BASE}/jobs/team-a/*"
NEW = {"project": "team-a", "image": IMAGE, "name": "*"}
SECRET = {"environment": {"TOKEN": {"secret": {"name": "hub", "key": "token"}}}}
TARGETS = [{"project": "team-a", "name": name} for name in ("*", "none")]
RUNNING: dict[str, Any] = {"environment": {SIMULATE_VARIABLE: "run-forever"}}
LABELLED: dict[str, Any] = {**RUNNING, "labels": {"trip": "yes"}}
INDEXED = {"indexed": True, "completions": 2, "backoffLimitPerIndex": 0}
FAILED: dict[str, Any] = {**INDEXED, "environment": {SIMULATE_VARIABLE: "exit-3@1"}}

REQUESTS = {
    "health": Request("GET", f"{BASE}/health"),
    "health, deep": Request("GET", f"{BASE}/health?deep=true"),
    "openapi": Request("GET", f"{BASE}/openapi.json"),
    "sign_in": Request("GET", f"{BASE}/sign-in"),
    "docs": Request("GET", "/researcher/api/docs"),
    "docs_asset": Request("GET", "/researcher/api/docs/none.js", status=404),
    "get_me": Request("GET", f"{BASE}/me"),
    "list_projects": Request("GET", f"{BASE}/projects"),
    "get_project": Request("GET", f"{BASE}/projects/team-a", job=RUNNING),
    "submit_job": Request("POST", f"{BASE}/jobs", NEW, status=201),
    "submit_job, dryRun": Request("POST", f"{BASE}/jobs?dryRun=true", NEW),
    "submit_job, replayed": Request("POST", f"{BASE}/jobs", NEW, {}, status=201),
    "submit_job, key": Request("POST", f"{BASE}/jobs", {"project": "team-a", "image": IMAGE}, status=201, key="key"),
    "submit_job, nodes": Request("POST", f"{BASE}/jobs", {**NEW, "nodes": 2}, status=201),
    "submit_job, Secret": Request("POST", f"{BASE}/jobs", {**NEW, **SECRET}, status=201),
    "clone_job": Request("POST", f"{JOB}/clone", {}, RUNNING, status=201),
    "retry_job": Request("POST", f"{JOB}/retry", job=FAILED, status=201),
    "list_all_jobs": Request("GET", f"{BASE}/jobs", job=RUNNING),
    "list_jobs": Request("GET", f"{BASE}/jobs/team-a", job=RUNNING),
    "list_jobs, until": Request("GET", f"{BASE}/jobs/team-a?until=finished", job=RUNNING),
    "get_job": Request("GET", JOB, job=RUNNING),
    "get_job, include": Request("GET", f"{JOB}?include=submission", job=RUNNING),
    "get_job, gone": Request("GET", JOB, status=404),
    "job_diagnosis": Request("GET", f"{JOB}/diagnosis", job=RUNNING),
    "job_events": Request("GET", f"{JOB}/events", job=RUNNING),
    "job_indexes": Request("GET", f"{JOB}/indexes", job=FAILED),
    "job_logs": Request("GET", f"{JOB}/logs", job=RUNNING),
    "suspend_job": Request("POST", f"{JOB}/suspend", job=RUNNING, status=202),
    "keep_job": Request("PUT", f"{JOB}/keep", job=RUNNING),
    "unkeep_job": Request("DELETE", f"{JOB}/keep", job=RUNNING),
    "resume_job": Request("POST", f"{JOB}/resume", job=RUNNING, suspended=True, status=202),
    "delete_job": Request("DELETE", JOB, job=RUNNING),
    "delete_matching_jobs": Request("DELETE", f"{BASE}/jobs/team-a?label=trip=yes", job=LABELLED),
    "delete_jobs": Request("DELETE", f"{BASE}/jobs", TARGETS, RUNNING),
}


@pytest.fixture(scope="module")
def stack() -> Iterator[CountedStack]:
    """Start a stack that counts requests, with a retention of 0 seconds."""
    docs_assets.main()
    with CountedStack({"CLEANUP_RETENTION_SECONDS": "0", "CLEANUP_FAILED_RETENTION_SECONDS": "0"}) as stack:
        yield stack


def trips(callers: Callers, operation: str, row: str, *, cold: bool) -> list[Trip]:
    """Return the requests that *operation* makes, compared with *row* as they arrive."""
    if operation in SCHEDULED:
        return callers.count_requests_on_schedule(row, operation, cold=cold)
    if operation == UPLOADED:
        return callers.count_requests_of_upload(row, cold=cold)
    return callers.count_requests(row, REQUESTS[operation], cold=cold)


@pytest.mark.parametrize("operation", ROWS)
def test_operation_sends_the_requests_of_its_row(stack: CountedStack, operation: str) -> None:
    """A cold and a warm operation send the requests of its row: each additional one would add latency."""
    with Callers(stack) as callers:
        for row, phase in zip(ROWS[operation], ("cold", "warm"), strict=True):
            sent = trips(callers, operation, row, cold=phase == "cold")

            problems = differences(row, sent)
            listed = "".join(f"\n  {trip.target} {trip.request} {trip.note}" for trip in sent)
            assert not problems, (
                f"{operation}, {phase}: {'; '.join(problems)}.\nThe row is: {row}\nThe requests were:{listed}"
            )


def test_each_operation_has_a_row() -> None:
    """Each endpoint and function has a row; variants follow a comma."""
    paths = json.loads(DOCUMENT.read_text("utf-8"))["paths"].values()
    operations = {method["operationId"] for path in paths for method in path.values()}

    rows = {operation.partition(",")[0] for operation in ROWS}

    assert rows == set(functions.names())
    assert operations <= rows


class TestGate:
    """The gate that counts the requests."""

    def test_extra_request_is_reported(self) -> None:
        """An extra request is reported with its target and both numbers."""
        gate = Gate()

        with gate.counting("sts, cluster") as sent:
            for target in ("sts", "cluster", "cluster"):
                gate.arrive(target, "GET /")

        assert differences("sts, cluster", sent) == ["2 requests to cluster instead of 1"]

    def test_parallel_requests_in_any_order(self) -> None:
        """Parallel requests wait for each other, so their order does not matter."""
        gate, row = Gate(), "cluster|cluster|s3"

        with gate.counting(row) as sent, ThreadPoolExecutor(3) as pool:
            list(pool.map(gate.arrive, ("cluster", "s3", "cluster"), "abc"))

        assert differences(row, sent) == []

    def test_sequential_requests_are_not_parallel(self) -> None:
        """Requests that are sent one after another do not match a parallel step."""
        gate, row = Gate(hold_seconds=0.01), "cluster|cluster"

        with gate.counting(row) as sent:
            gate.arrive("cluster", "GET /a")
            gate.arrive("cluster", "GET /b")

        assert differences(row, sent) == ["cluster GET /a was sent alone, not in parallel"]

    def test_other_order_is_reported(self) -> None:
        """The right number of requests in another order is reported."""
        gate = Gate()

        with gate.counting("sts, s3") as sent:
            gate.arrive("s3", "GET /a")
            gate.arrive("sts", "POST /")

        assert differences("sts, s3", sent) == ["s3 GET /a was not expected at this place"]
