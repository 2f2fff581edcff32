"""Single steps of the Job controller, for behaviour that takes too long in the contract tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from infra.localcluster.job_controller import JobController
from infra.localcluster.kinds import EVENT, JOB, POD, QUOTA
from tests.support.builders import NOW

if TYPE_CHECKING:
    from tests.unit.localcluster.conftest import Parts


def quota(pods: str) -> dict[str, object]:
    """Return a quota of *pods* pods."""
    return {"metadata": {"name": "pods"}, "spec": {"hard": {"pods": pods}}}


@pytest.fixture
def controller(parts: Parts) -> JobController:
    """Return the controller, with a Job whose pod exceeds the quota."""
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}}
    parts.registry.create(QUOTA, "team", quota("0"))
    parts.registry.create(JOB, "team", {"metadata": {"name": "one"}, "spec": {"template": template}})
    return JobController(parts.store, parts.registry)


def attempts(parts: Parts) -> int:
    """Return the number of rejected pod creations."""
    return sum(event["count"] for event in parts.store.all(EVENT))


def test_rejected_pod_is_retried_with_backoff(parts: Parts, controller: JobController) -> None:
    """A rejected pod is retried after one, two and four more seconds, so that many such Jobs do not delay others."""
    counts = []

    for second in range(8):
        controller.step(NOW + timedelta(seconds=second))
        counts.append(attempts(parts))

    assert counts == [1, 2, 2, 3, 3, 3, 3, 4]


def test_backoff_is_limited(parts: Parts, controller: JobController) -> None:
    """A pod is created at most one minute after the quota allows it."""
    for second in range(300):
        controller.step(NOW + timedelta(seconds=second))
    parts.registry.patch(QUOTA, "team", "pods", quota("1"))

    controller.step(NOW + timedelta(seconds=360))

    assert len(list(parts.store.all(POD))) == 1
