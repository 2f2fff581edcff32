"""The log of a simulated pod; contract/test_logs.py covers the parameters of a log request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.localcluster.log_content import LogOptions, follow, read_log
from infra.localcluster.simulated_log import LOG_VARIABLE, MAX_SIZE, SIZE_VARIABLE

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


def simulated(state: dict[str, Any], **environment: str) -> dict[str, Any]:
    """Return a pod with this state and these variables."""
    spec = {
        "name": "main",
        "image": "x:1",
        "env": [{"name": name, "value": text} for name, text in environment.items()],
    }
    status = {"phase": "Failed", "containerStatuses": [{"name": "main", "state": state}]}
    return {"metadata": {"name": "one"}, "spec": {"containers": [spec]}, "status": status}


@pytest.mark.parametrize(
    ("state", "seconds", "first", "last"),
    [
        ({"running": {"startedAt": START.isoformat()}}, 0, 0, 2),
        ({"running": {"startedAt": START.isoformat()}}, 0.2, 0, 62),
        ({"running": {"startedAt": START.isoformat()}}, 1, 300, 302),
        ({"terminated": {"startedAt": START.isoformat(), "finishedAt": START.isoformat()}}, 9, 0, 2),
    ],
)
def test_growing_log(state: dict[str, Any], seconds: float, first: int, last: int) -> None:
    """A log grows until its container ends; a file that has the maximum size is not served any more."""
    pod = simulated(state, **{LOG_VARIABLE: "growing-30000", SIZE_VARIABLE: "10000"})

    lines = read_log(pod, "main", LogOptions(), START + timedelta(seconds=seconds)).splitlines()

    assert {len(line) for line in lines} == {99}
    assert [int(line.split()[1]) for line in lines] == list(range(first, last + 1))


@pytest.mark.parametrize(("size", "served"), [(MAX_SIZE - 60_000 * 3, 1), (MAX_SIZE * 2, 0.99)])
def test_files_have_the_size_of_the_kubelet(size: int, served: float) -> None:
    """By default a file has at most 10 MiB and a line."""
    pod = simulated({"running": {"startedAt": START.isoformat()}}, **{LOG_VARIABLE: f"generated-{size}"})

    assert served * size >= len(read_log(pod, "main", LogOptions(), START)) - 180_000
    assert len(read_log(pod, "main", LogOptions(), START)) <= MAX_SIZE + 180_000


def test_a_follower_gets_the_next_file() -> None:
    """A log that is followed goes on with the new file after a rotation."""
    pod = simulated({})
    running = {**pod, "status": {"phase": "Running"}}
    files = iter([(running, b"a\nb\n"), (running, b"a\nb\nc\n"), (pod, b"d\n")])

    assert list(follow(lambda: next(files))) == [b"a\nb\n", b"c\n", b"d\n"]
