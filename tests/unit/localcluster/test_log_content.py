"""The log of a simulated pod; contract/test_logs.py covers the parameters of a log request."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from infra.localcluster.log_content import LogOptions, read_log

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("container", "line"),
    [({}, b"$ image:1"), ({"command": ["torchrun"], "args": ["train.py"]}, b"$ torchrun train.py")],
)
def test_log_shows_the_command(container: dict[str, object], line: bytes) -> None:
    """The log says that nothing is executed, and shows the command."""
    spec = {"name": "main", "image": "image:1", **container}
    status = {"name": "main", "state": {"running": {"startedAt": START.isoformat()}}}
    pod = {"metadata": {"name": "one"}, "spec": {"containers": [spec]}, "status": {"containerStatuses": [status]}}

    lines = read_log(pod, "main", LogOptions(), START).splitlines()

    assert lines[:2] == [b"one is simulated: nothing is executed.", line]
    assert lines[-1] == b"epoch 3 of 3: loss 0.333"
