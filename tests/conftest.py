"""Fixtures of all tests; with `tests/__init__.py` beside it, the root is importable however pytest is started."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from infra.local.local_stack import Stack
from infra.localcluster.cluster import EmbeddedCluster
from infra.packaging import docs_assets
from tests.cluster.real_cluster import RealCluster
from tests.support.api import Api
from tests.support.log_lines import unexplained
from tests.support.scheduled_functions import Scheduled
from tests.support.secrets import leaks
from tests.support.sizes import cases

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

SEARCHED = tuple(Path(__file__).parent / suite for suite in ("product", "security"))
"""Suites whose output must not contain secrets, and has a reason for each unavailable system."""

pytest_plugins = ["tests.support.attack_recorder", "tests.budgets"]

# No deadline: a shared machine may stall in any example.
EXAMPLES = cases(100 if os.environ.get("CI") else 20, thorough=1000)
hypothesis.settings.register_profile("tests", deadline=None, max_examples=EXAMPLES)
hypothesis.settings.load_profile("tests")

RUN_SECONDS = 0.5
"""The default run time of a pod."""

CLUSTERS: dict[str, Callable[..., EmbeddedCluster | RealCluster]] = {"embedded": EmbeddedCluster, "real": RealCluster}


@pytest.fixture(scope="session")
def make_cluster() -> Callable[..., EmbeddedCluster | RealCluster]:
    """Return the class of the cluster that CLUSTER names, for tests that run on both."""
    return CLUSTERS[os.environ.get("CLUSTER") or "embedded"]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack[EmbeddedCluster]]:
    """Start the whole local cloud.

    Not with session scope: a process has one local cloud at a time, and some modules start their own.
    """
    docs_assets.main()
    with Stack(partial(EmbeddedCluster, run_seconds=RUN_SECONDS)) as stack:
        yield stack


@pytest.fixture
def api(stack: Stack) -> Iterator[Api]:
    """Return a client with the token of alice, who may use team-a and team-shared."""
    with Api(stack) as api:
        yield api


@pytest.fixture(scope="module")
def scheduled(stack: Stack) -> Iterator[Scheduled]:
    """Return the scheduled functions of the stack."""
    with Scheduled(stack) as scheduled:
        yield scheduled


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test of the searched suites whose output contains a secret, or an unavailable system without a reason."""
    report = yield
    if any(item.path.is_relative_to(suite) for suite in SEARCHED):
        output = "\n".join(content for _, content in report.sections)
        found = leaks(output) + unexplained(output)
        if found:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} printed {', '.join(found)}\n{report.longrepr or ''}"
    return report
