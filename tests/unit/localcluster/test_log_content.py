"""What a pod on paper would have printed; contract/test_logs.py has what a kubelet gives out of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from infra.localcluster.log_content import LogOptions, read_log

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("container", "line"),
    [({}, b"$ image:1"), ({"command": ["torchrun"], "args": ["train.py"]}, b"$ torchrun train.py")],
)
def test_what_would_run(container: dict[str, object], line: bytes) -> None:
    """A newcomer sees that nothing is executed, and what would be."""
    spec = {"name": "main", "image": "image:1", **container}
    status = {"name": "main", "state": {"running": {"startedAt": START.isoformat()}}}
    pod = {"metadata": {"name": "one"}, "spec": {"containers": [spec]}, "status": {"containerStatuses": [status]}}

    lines = read_log(pod, "main", LogOptions(), START).splitlines()

    assert lines[:2] == [b"one runs on paper: nothing is executed.", line]
    assert lines[-1] == b"epoch 3 of 3: loss 0.333"
