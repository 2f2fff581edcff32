"""How many requests each operation makes, to whom, and which of them at the same time: a row for each operation.

`cold` is the first request of a process, whose caches are empty; `warm` the next one, for another Job in the same
state. `2 issuer, sts, cluster|cluster` is five requests in four steps; the number of steps is what a caller waits for.
Always on the embedded cluster, where nothing else happens meanwhile; each Job that is there has one pod.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib import functions
from chalicelib.runtime.operation import BASE
from infra.localcluster.pod_status import SIMULATE_VARIABLE
from infra.packaging import docs_assets
from tests.support.api import IMAGE
from tests.support.counted_stack import SCHEDULED, UPLOADED, CountedStack, Request, World
from tests.support.round_trips import Gate, Trip, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(functions.__file__).parents[1] / "openapi.json"

KEYS = "2 issuer"
"""The discovery document, then the keys."""
ROLE = "sts, cluster"
"""AssumeRole, then the groups that the API may impersonate."""
FIRST = f"{KEYS}, {ROLE}"
EVENTS = "cluster|cluster, cluster"
"""The Job's events and its pods, then the events of each pod: here of one."""
PROJECTS = "cluster|cluster|cluster"
"""One request for each of the three Projects. The groups are read so often, too, where these are a process's first."""
TWO_JOBS = "cluster|cluster"
"""The same for the two Jobs that are deleted."""
ANNOUNCED = f"{PROJECTS}, {PROJECTS}, events|events|events, {PROJECTS}"
"""Each Project's Jobs, the pods of the one that has finished, its event, its mark."""
CLEANED = ", ".join(["4 cluster, 4 s3, cluster"] * 3)
"""In each Project: its Jobs, one of them, its pods, its log, two Receipts read and written, its deletion."""

# fmt: off
ROWS = {
    # operation             cold                                               warm
    "health":               ("",                                               ""),
    "health, deep":         (f"{FIRST}, cluster",                              "cluster"),
    "openapi":              ("",                                               ""),
    "docs":                 ("",                                               ""),
    "docs_asset":           ("",                                               ""),
    "list_projects":        (f"{KEYS}, sts, cluster, {PROJECTS}, {PROJECTS}",  "cluster"),
    "get_project":          (f"{FIRST}, 5 cluster",                            "4 cluster"),
    "submit_job":           (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "submit_job, dryRun":   (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "submit_job, replayed": (f"{FIRST}, 4 cluster",                            "4 cluster"),
    "submit_job, nodes":    (f"{FIRST}, 4 cluster",                            "4 cluster"),
    "submit_job, Secret":   (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "submit_upload":        (f"2 s3, {ROLE}, 2 cluster, s3",                   "2 s3, 2 cluster, s3"),
    "clone_job":            (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "retry_job":            (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "list_jobs":            (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "get_job":              (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "get_job, gone":        (f"{FIRST}, cluster, s3",                          "cluster, s3"),
    "job_diagnosis":        (f"{FIRST}, cluster, {EVENTS}",                    f"cluster, {EVENTS}"),
    "job_events":           (f"{FIRST}, cluster, {EVENTS}",                    f"cluster, {EVENTS}"),
    "job_logs":             (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "suspend_job":          (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "keep_job":             (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "unkeep_job":           (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "resume_job":           (f"{FIRST}, 3 cluster",                            "3 cluster"),
    "delete_job":           (f"{FIRST}, 2 cluster",                            "2 cluster"),
    "delete_jobs":          (f"{KEYS}, sts, {TWO_JOBS}, {TWO_JOBS}, cluster",  f"{TWO_JOBS}, cluster"),
    "announce":             (f"sts, cluster, {PROJECTS}, {ANNOUNCED}",         f"cluster, {ANNOUNCED}"),
    "cleanup":              (f"{ROLE}, cluster, {CLEANED}",                    f"cluster, {CLEANED}"),
}
# fmt: on
JOB = f"{BASE}/jobs/team-a/*"
NEW = {"project": "team-a", "image": IMAGE, "name": "*"}
SECRET = {"environment": {"TOKEN": {"secret": {"name": "hub", "key": "token"}}}}
TARGETS = [{"project": "team-a", "name": name} for name in ("*", "none")]
RUNNING: dict[str, Any] = {"environment": {SIMULATE_VARIABLE: "run-forever"}}
INDEXED = {"indexed": True, "completions": 2, "backoffLimitPerIndex": 0}
FAILED: dict[str, Any] = {**INDEXED, "environment": {SIMULATE_VARIABLE: "exit-3@1"}}

REQUESTS = {
    "health": Request("GET", f"{BASE}/health"),
    "health, deep": Request("GET", f"{BASE}/health?deep=true"),
    "openapi": Request("GET", f"{BASE}/openapi.json"),
    "docs": Request("GET", "/researcher/api/docs"),
    "docs_asset": Request("GET", "/researcher/api/docs/none.js", status=404),
    "list_projects": Request("GET", f"{BASE}/projects"),
    "get_project": Request("GET", f"{BASE}/projects/team-a", job=RUNNING),
    "submit_job": Request("POST", f"{BASE}/jobs", NEW, status=201),
    "submit_job, dryRun": Request("POST", f"{BASE}/jobs?dryRun=true", NEW),
    "submit_job, replayed": Request("POST", f"{BASE}/jobs", NEW, {}, status=201),
    "submit_job, nodes": Request("POST", f"{BASE}/jobs", {**NEW, "nodes": 2}, status=201),
    "submit_job, Secret": Request("POST", f"{BASE}/jobs", {**NEW, **SECRET}, status=201),
    "clone_job": Request("POST", f"{JOB}/clone", {}, RUNNING, status=201),
    "retry_job": Request("POST", f"{JOB}/retry", job=FAILED, status=201),
    "list_jobs": Request("GET", f"{BASE}/jobs/team-a", job=RUNNING),
    "get_job": Request("GET", JOB, job=RUNNING),
    "get_job, gone": Request("GET", JOB, status=404),
    "job_diagnosis": Request("GET", f"{JOB}/diagnosis", job=RUNNING),
    "job_events": Request("GET", f"{JOB}/events", job=RUNNING),
    "job_logs": Request("GET", f"{JOB}/logs", job=RUNNING),
    "suspend_job": Request("POST", f"{JOB}/suspend", job=RUNNING, status=202),
    "keep_job": Request("PUT", f"{JOB}/keep", job=RUNNING),
    "unkeep_job": Request("DELETE", f"{JOB}/keep", job=RUNNING),
    "resume_job": Request("POST", f"{JOB}/resume", job=RUNNING, suspended=True, status=202),
    "delete_job": Request("DELETE", JOB, job=RUNNING),
    "delete_jobs": Request("DELETE", f"{BASE}/jobs", TARGETS, RUNNING),
}


@pytest.fixture(scope="module")
def stack() -> Iterator[CountedStack]:
    """A cloud that counts, and whose Jobs may be cleaned up as soon as they have finished."""
    docs_assets.main()
    with CountedStack({"CLEANUP_RETENTION_SECONDS": "0", "CLEANUP_FAILED_RETENTION_SECONDS": "0"}) as stack:
        yield stack


def trips(world: World, operation: str, row: str, *, cold: bool) -> list[Trip]:
    """Return the requests that *operation* makes, compared with *row* as they arrive."""
    if operation in SCHEDULED:
        return world.trips_on_schedule(row, operation, cold=cold)
    if operation == UPLOADED:
        return world.trips_of_upload(row, cold=cold)
    return world.trips(row, REQUESTS[operation], cold=cold)


@pytest.mark.parametrize("operation", ROWS)
def test_operation_makes_the_requests_of_its_row(stack: CountedStack, operation: str) -> None:
    """Cold and warm, in number, order and parallelism: one request more is one round trip more for each caller."""
    with World(stack) as world:
        for row, phase in zip(ROWS[operation], ("cold", "warm"), strict=True):
            sent = trips(world, operation, row, cold=phase == "cold")

            found = differences(row, sent)
            listed = "".join(f"\n  {trip.target} {trip.request} {trip.note}" for trip in sent)
            assert not found, f"{operation}, {phase}: {'; '.join(found)}.\nThe row is: {row}\nWhat was sent:{listed}"


def test_each_operation_has_a_row() -> None:
    """A new endpoint or function needs one; its variants come after a comma."""
    paths = json.loads(DOCUMENT.read_text("utf-8"))["paths"].values()
    operations = {method["operationId"] for path in paths for method in path.values()}

    rows = {operation.partition(",")[0] for operation in ROWS}

    assert rows == set(functions.names())
    assert operations <= rows


class TestGate:
    """The count itself."""

    def test_one_request_more_is_named(self) -> None:
        """By its target, with both numbers."""
        gate = Gate()

        with gate.counting("sts, cluster") as sent:
            for target in ("sts", "cluster", "cluster"):
                gate.arrive(target, "GET /")

        assert differences("sts, cluster", sent) == ["2 requests to cluster instead of 1"]

    def test_requests_in_parallel_meet(self) -> None:
        """Each waits for the others, so it does not matter which is faster."""
        gate, row = Gate(), "cluster|cluster|s3"

        with gate.counting(row) as sent, ThreadPoolExecutor(3) as pool:
            list(pool.map(gate.arrive, ("cluster", "s3", "cluster"), "abc"))

        assert differences(row, sent) == []

    def test_requests_one_after_another_do_not_pass_as_parallel(self) -> None:
        """They never meet."""
        gate, row = Gate(hold_seconds=0.01), "cluster|cluster"

        with gate.counting(row) as sent:
            gate.arrive("cluster", "GET /a")
            gate.arrive("cluster", "GET /b")

        assert differences(row, sent) == ["cluster GET /a was sent alone, not in parallel"]

    def test_another_order_is_named(self) -> None:
        """As many requests, but not as the row has them."""
        gate = Gate()

        with gate.counting("sts, s3") as sent:
            gate.arrive("s3", "GET /a")
            gate.arrive("sts", "POST /")

        assert differences("sts, s3", sent) == ["s3 GET /a was not expected at this place"]
