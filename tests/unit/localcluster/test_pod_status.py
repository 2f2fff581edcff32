"""The status of a killed pod; contract and product tests cover all other outcomes."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.localcluster import pod_status


def test_killed_pod_has_failed() -> None:
    """A pod that is deleted while it runs has failed."""
    pod = {"metadata": {}, "spec": {"containers": [{"name": "main", "image": "image:1"}]}, "status": {}}

    assert pod_status.killed_status(pod, datetime(2026, 1, 2, tzinfo=UTC))["phase"] == "Failed"
