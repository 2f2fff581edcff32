"""The Job controller, step by step: what the contract cannot wait for."""

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
    """Room for so many pods."""
    return {"metadata": {"name": "room"}, "spec": {"hard": {"pods": pods}}}


@pytest.fixture
def controller(parts: Parts) -> JobController:
    """The controller, with a Job for whose pod there is no room."""
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}}
    parts.writing.create(QUOTA, "team", quota("0"))
    parts.writing.create(JOB, "team", {"metadata": {"name": "one"}, "spec": {"template": template}})
    return JobController(parts.store, parts.writing)


def attempts(parts: Parts) -> int:
    """How often a pod was refused."""
    return sum(event["count"] for event in parts.store.all(EVENT))


def test_refused_pod_is_tried_again_ever_later(parts: Parts, controller: JobController) -> None:
    """After one second, two more, four more: a thousand Jobs without room leave a step time for the others."""
    seen = []

    for second in range(8):
        controller.step(NOW + timedelta(seconds=second))
        seen.append(attempts(parts))

    assert seen == [1, 2, 2, 3, 3, 3, 3, 4]


def test_pause_has_an_end(parts: Parts, controller: JobController) -> None:
    """At most a minute after there is room again, the pod is there."""
    for second in range(300):
        controller.step(NOW + timedelta(seconds=second))
    parts.writing.patch(QUOTA, "team", "room", quota("1"))

    controller.step(NOW + timedelta(seconds=360))

    assert len(list(parts.store.all(POD))) == 1
