"""The packaged functions under the load of several concurrent scripts, on a faulty cluster; and their memory.

LOAD_SECONDS=60 lasts a minute; the figures of tests/README.md are from such a run.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pytest

from infra.localcluster.kinds import JOB
from tests.cluster.fault_proxy import FAULTS, Faulty
from tests.deployed.deployed import Deployed
from tests.deployed.execution import MEGABYTE, resident
from tests.security.attacks import CASES
from tests.security.hostile_tokens import bearer
from tests.security.sending import send_raw
from tests.security.traffic import BUSY, Report, Task, run
from tests.support.api import Api, token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from infra.local.wire import HttpResponse
    from tests.support.attack_recorder import Counter

    FaultyDeployment = Deployed[Faulty[Any]]

pytestmark = pytest.mark.attack("load")

SECONDS = float(os.environ.get("LOAD_SECONDS") or 8)
SCRIPTS = (("alice", "team-a", "team-b"), ("bob", "team-b", "team-a")) * 2
"""One process each: the caller, the caller's Project, and a Project without access."""
RATE = 0.2
"""The share of requests to the cluster that have a fault."""
FAULT_WEIGHTS = (*(fault for fault in FAULTS if fault != "hang"),) * 4 + ("hang",)
"""Requests that hang are rare, because a script does nothing while it waits."""
RUN_SECONDS = 0.5
INVOCATIONS = max(1000, CASES)
WARM_UP = 200
MAX_GAIN = 4.0
"""The most MiB that a warm process may gain in all INVOCATIONS, whose responses are many times larger."""


@pytest.fixture(scope="module")
def stack(
    make_cluster: Callable[..., Any], packaged: dict[str, Any], unzipped: Path, runtime: Path
) -> Iterator[FaultyDeployment]:
    """Deploy the packaged product, with a proxy in front of the cluster that has no faults at first."""
    with Deployed(
        lambda review: Faulty(make_cluster(review, run_seconds=RUN_SECONDS), rate=0.0), packaged, unzipped, runtime
    ) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def reports(stack: FaultyDeployment) -> list[Report]:
    """Run the scripts for SECONDS with faults, and return their reports."""
    tasks = [
        Task(stack.base_url, token(stack, name), own, foreign, number, SECONDS)
        for number, (name, own, foreign) in enumerate(SCRIPTS)
    ]
    stack.cluster.proxy.faults, stack.cluster.proxy.rate = FAULT_WEIGHTS, RATE
    with ProcessPoolExecutor(len(SCRIPTS), get_context("spawn")) as pool:
        found = list(pool.map(run, tasks))
    stack.cluster.proxy.rate = 0.0
    return found


class TestTraffic:
    """Concurrent scripts that submit, list, read and delete, and send invalid and forbidden requests."""

    def test_every_response_is_expected(self, stack: FaultyDeployment, reports: list[Report], counter: Counter) -> None:
        """Each response is one of those its request may have, without data of other Projects; all faults occur."""
        responses = [outcome for report in reports for outcome in report.outcomes.elements()]
        counter.count(len(responses))
        counter.measure(
            "% of responses 503 or 504", 100 * sum(outcome in BUSY for outcome in responses) / len(responses)
        )

        assert [message for report in reports for message in report.unexpected] == []
        assert stack.cluster.proxy.fault_counts.keys() == {*FAULTS, "none"}

    @pytest.mark.parametrize("project", ["team-a", "team-b"])
    def test_every_job_exists_once(
        self, stack: FaultyDeployment, reports: list[Report], project: str, counter: Counter
    ) -> None:
        """Each Job with a 201 and no deletion exists once; others exist only after a last response of 503 or 504."""
        own_reports = [report for report, (_, own, _) in zip(reports, SCRIPTS, strict=True) if own == project]
        expected = {request: job["id"] for report in own_reports for request, job in report.created.items()}
        unknown = set().union(*(report.unknown for report in own_reports))
        counter.count(len(expected))

        jobs = [job["metadata"] for job in stack.cluster.cluster.find(JOB, f"researcher-{project}")]
        stored = {job["labels"]["request"]: job["uid"] for job in jobs}

        assert len(stored) == len(jobs)
        assert {request: uid for request, uid in stored.items() if request not in unknown} == expected

    def test_shared_project_is_empty(self, stack: FaultyDeployment, reports: list[Report]) -> None:
        """A Project without submissions has no Jobs."""
        assert reports
        assert stack.cluster.cluster.find(JOB, "researcher-team-shared") == []


class TestMemory:
    """The memory of one process of a function, over all of its invocations."""

    @pytest.mark.parametrize("function", ["ListJobs", "SubmitJob", "GetJob"])
    def test_is_constant(self, stack: FaultyDeployment, function: str, counter: Counter) -> None:
        """A warm process gains almost no memory, with successful and rejected requests."""
        with Api(stack) as api:
            api.submit(name="remembered").raise_for_status()
        requests = invocations(stack)[function]
        stack.lambdas.forget()
        for number in range(WARM_UP):
            requests[number % len(requests)]()
        (execution,) = stack.lambdas.executions(function)
        warm = resident(execution.pid)

        outcomes = {requests[number % len(requests)]().status for number in range(INVOCATIONS)}

        gained = (resident(execution.pid) - warm) / MEGABYTE
        counter.count(INVOCATIONS)
        counter.measure(f"MiB that {function} gained in {INVOCATIONS:,} invocations", round(gained, 1))
        assert stack.lambdas.executions(function) == [execution]
        assert outcomes <= {200, 201, 400, 403, 415, 422}
        assert gained < MAX_GAIN


def invocations(stack: FaultyDeployment) -> dict[str, list[Callable[[], HttpResponse]]]:
    """Return requests by function that succeed, are forbidden, or are malformed."""
    alice = bearer(stack.issuer.mint("alice"))
    send = partial(send_raw, stack)
    submission = {"project": "team-a", "image": "nvcr.io/nvidia/pytorch:26.10-py3", "name": "remembered"}
    return {
        "ListJobs": [partial(send, "GET", f"/jobs/{path}", alice) for path in ("team-a", "team-b", "team-a?limit=0")],
        "GetJob": [partial(send, "GET", f"/jobs/{path}", alice) for path in ("team-a/remembered", "team-b/x")],
        "SubmitJob": [
            partial(send, "POST", "/jobs", alice, document)
            for document in (submission, submission | {"project": "team-b"}, {"project": 1}, b"{")
        ],
    }
