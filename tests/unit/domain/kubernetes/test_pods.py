"""Tests of pods."""

from __future__ import annotations

import msgspec

from chalicelib.domain.kubernetes.pods import PodList
from tests.support.builders import NOW, job, pod


def test_field_names() -> None:
    """Field names are those of the Kubernetes API, including `imageID`."""
    page = msgspec.json.decode(
        '{"items": [{"status": {"initContainerStatuses": [{}], "containerStatuses": [{"imageID": "sha256:1",'
        ' "restartCount": 2, "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-11-24T10:00:00Z"}},'
        ' "state": {"running": {"startedAt": "2026-11-24T10:00:00Z"}}}]}}]}',
        type=PodList,
    )

    (status,) = page.items[0].status.container_statuses

    assert len(page.items[0].status.init_container_statuses) == 1
    assert (status.image_id, status.restart_count) == ("sha256:1", 2)
    assert status.last_state.terminated
    assert (status.last_state.terminated.exit_code, status.last_state.terminated.finished_at) == (1, NOW)
    assert status.state.running
    assert status.state.running.started_at == NOW


class TestIsOf:
    """Tests of is_of."""

    def test_owner(self) -> None:
        """A pod belongs to its owner, not to another Job with the same name."""
        subject = pod(owner="uid-of-train-1")

        assert subject.is_of(job())
        assert not subject.is_of(job(uid="uid-of-another"))
