"""What is shown while a Job waits."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, cast

from researcher.cli.following import PATIENCE, Watcher
from researcher.cli.progress import Progress
from researcher.models import Diagnosis, JobView

if TYPE_CHECKING:
    import pytest
    from researcher.job import Job
from test_following import VIEW

DIAGNOSIS = {
    "project": "p", "name": "j", "cause": "UnschedulableResources", "since": None, "remedy": "Wait.",
    "evidence": {"object": {"kind": "Pod", "name": "j-x"}, "field": "status", "message": "0/1 nodes are available"},
}  # fmt: skip


class WaitingJob:
    """A Job that waits for a GPU."""

    def __init__(self) -> None:
        self.view = JobView.decode({**VIEW, "status": "Pending"})
        self.name, self.status, self.reason = "j", "Pending", None
        self.asked = 0

    def why(self) -> Diagnosis:
        """Return the diagnosis, and count the calls."""
        self.asked += 1
        return Diagnosis.decode(DIAGNOSIS)


def test_the_reason_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A Job that waits for more than 30 seconds is explained, once; before that nothing is written into a pipe."""
    seconds = itertools.count(step=int(PATIENCE) // 3)
    job = WaitingJob()
    with Progress(clock=lambda: float(next(seconds))) as progress:
        watcher = Watcher(progress)
        for _ in range(3):
            watcher.watch(cast("Job", job))
        before = capsys.readouterr()
        for _ in range(10):
            watcher.watch(cast("Job", job))

    after = capsys.readouterr()
    assert before.out + before.err + after.out == ""
    assert after.err.splitlines() == [
        "j is Pending: 0/1 nodes are available.",
        "Evidence: UnschedulableResources, from status of Pod j-x.",
        "What to do: Wait.",
    ]
    assert job.asked == 1
