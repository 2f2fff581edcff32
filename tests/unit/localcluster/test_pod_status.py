"""What a kubelet reports of a pod that is killed; contract/ and product/ see what becomes of all others."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.localcluster import pod_status


def test_killed_pod_has_failed() -> None:
    """A pod deleted before its end did not succeed."""
    pod = {"metadata": {}, "spec": {"containers": [{"name": "main", "image": "image:1"}]}, "status": {}}

    assert pod_status.killed_status(pod, datetime(2026, 1, 2, tzinfo=UTC))["phase"] == "Failed"
