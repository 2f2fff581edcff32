"""The packaged functions at work for several scripts at once, on a faulty cluster; and what they keep of it in memory.

LOAD_SECONDS=60 asks for a minute; the figures of tests/README.md are of that.
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
from tests.security.sending import sent
from tests.security.traffic import BUSY, Errand, Report, run
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
"""Processes: whose token, which Project, and which one the token is not good for."""
RATE = 0.2
"""Of the calls to the cluster, so many meet a fault."""
MOSTLY_QUICK = (*(fault for fault in FAULTS if fault != "hang"),) * 4 + ("hang",)
"""A call that hangs holds its script up for seconds, in which nothing is tried."""
RUN_SECONDS = 0.5
INVOCATIONS = max(1000, CASES)
WARM_UP = 200
ROOM = 4.0
"""MiB that a warm process may gain in all INVOCATIONS, whose answers are many times that."""


@pytest.fixture(scope="module")
def stack(
    make_cluster: Callable[..., Any], packaged: dict[str, Any], unzipped: Path, runtime: Path
) -> Iterator[FaultyDeployment]:
    """The packaged product, with a proxy before the cluster that has no faults yet."""
    with Deployed(
        lambda review: Faulty(make_cluster(review, run_seconds=RUN_SECONDS), rate=0.0), packaged, unzipped, runtime
    ) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def reports(stack: FaultyDeployment) -> list[Report]:
    """What the scripts tell after SECONDS of faults."""
    errands = [
        Errand(stack.base_url, token(stack, name), own, foreign, number, SECONDS)
        for number, (name, own, foreign) in enumerate(SCRIPTS)
    ]
    stack.cluster.proxy.faults, stack.cluster.proxy.rate = MOSTLY_QUICK, RATE
    with ProcessPoolExecutor(len(SCRIPTS), get_context("spawn")) as pool:
        found = list(pool.map(run, errands))
    stack.cluster.proxy.rate = 0.0
    return found


class TestTraffic:
    """Scripts that submit, list, read, delete, ask badly, and try what is not theirs, all at once."""

    def test_no_answer_is_wrong(self, stack: FaultyDeployment, reports: list[Report], counter: Counter) -> None:
        """Each is one of those its request may have; nothing of another team is seen. All faults were met."""
        answers = [met for report in reports for met in report.answers.elements()]
        counter.tried(len(answers))
        counter.measured("% answered 503 or 504", 100 * sum(met in BUSY for met in answers) / len(answers))

        assert [wrong for report in reports for wrong in report.wrong] == []
        assert stack.cluster.proxy.met.keys() == {*FAULTS, "none"}

    @pytest.mark.parametrize("project", ["team-a", "team-b"])
    def test_every_job_is_there_once(
        self, stack: FaultyDeployment, reports: list[Report], project: str, counter: Counter
    ) -> None:
        """Each that was answered 201 and not deleted; and no other but where the last answer was 503 or 504."""
        ours = [report for report, (_, own, _) in zip(reports, SCRIPTS, strict=True) if own == project]
        expected = {request: job["id"] for report in ours for request, job in report.there.items()}
        unknown = set().union(*(report.unknown for report in ours))
        counter.tried(len(expected))

        jobs = [job["metadata"] for job in stack.cluster.cluster.find(JOB, f"researcher-{project}")]
        stored = {job["labels"]["request"]: job["uid"] for job in jobs}

        assert len(stored) == len(jobs)
        assert {request: uid for request, uid in stored.items() if request not in unknown} == expected

    def test_shared_project_stays_empty(self, stack: FaultyDeployment, reports: list[Report]) -> None:
        """Nothing lands where nobody submitted."""
        assert reports
        assert stack.cluster.cluster.find(JOB, "researcher-team-shared") == []


class TestMemory:
    """One process of a function, through all of its invocations."""

    @pytest.mark.parametrize("function", ["ListJobs", "SubmitJob", "GetJob"])
    def test_stays(self, stack: FaultyDeployment, function: str, counter: Counter) -> None:
        """It gains next to nothing once it is warm, whether it answers or refuses."""
        with Api(stack) as api:
            api.submit(name="remembered").raise_for_status()
        asks = invocations(stack)[function]
        stack.lambdas.forget()
        for number in range(WARM_UP):
            asks[number % len(asks)]()
        (execution,) = stack.lambdas.executions(function)
        warm = resident(execution.pid)

        met = {asks[number % len(asks)]().status for number in range(INVOCATIONS)}

        gained = (resident(execution.pid) - warm) / MEGABYTE
        counter.tried(INVOCATIONS)
        counter.measured(f"MiB that {function} gained in {INVOCATIONS:,} invocations", round(gained, 1))
        assert stack.lambdas.executions(function) == [execution]
        assert met <= {200, 201, 400, 403, 415, 422}
        assert gained < ROOM


def invocations(stack: FaultyDeployment) -> dict[str, list[Callable[[], HttpResponse]]]:
    """Function to requests that it answers, refuses and cannot read."""
    alice = bearer(stack.issuer.mint("alice"))
    ask = partial(sent, stack)
    submission = {"project": "team-a", "image": "nvcr.io/nvidia/pytorch:26.10-py3", "name": "remembered"}
    return {
        "ListJobs": [partial(ask, "GET", f"/jobs/{path}", alice) for path in ("team-a", "team-b", "team-a?limit=0")],
        "GetJob": [partial(ask, "GET", f"/jobs/{path}", alice) for path in ("team-a/remembered", "team-b/x")],
        "SubmitJob": [
            partial(ask, "POST", "/jobs", alice, document)
            for document in (submission, submission | {"project": "team-b"}, {"project": 1}, b"{")
        ],
    }
