"""Follow a Job to its end: its progress, why it waits, its log, and its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from researcher.cli.jobs import explain
from researcher.cli.progress import Progress
from researcher.errors import ApiError, Unavailable

if TYPE_CHECKING:
    from researcher.job import Job

PATIENCE = 30.0
"""Seconds that a Job may wait before the reason is shown."""
WAITING = {"Pending", "Queued", "ContainerCreating", "Suspended"}


def follow_to_end(job: Job, *, logs: bool) -> int:
    """Return the exit code of the Job, after its log if *logs*."""
    click.echo(f"Submitted {job.name}" if logs else job.name, err=logs)
    try:
        return _follow(job, logs=logs)
    except KeyboardInterrupt:
        say_that_it_goes_on([job.name])
        raise
    except Unavailable:
        say_that_it_goes_on([job.name])
        raise


def _follow(job: Job, *, logs: bool) -> int:
    with Progress() as progress:
        watcher = Watcher(progress)
        job.wait(until="running" if logs else "finished", watch=watcher.watch)
    if logs:
        for line in job.logs(follow=True):
            click.echo(line)
    job.wait()
    return report_end(job, tail=not logs)


def report_end(job: Job, *, tail: bool) -> int:
    """Write how the Job ended to stderr, and return its exit code."""
    from researcher.cli.main import report

    if job.status != "Failed":
        click.echo(f"{job.name} has {job.status.lower()}.", err=True)
        return 0
    failure = job.failure()
    if not tail:
        failure.log_tail = ""
    report(failure)
    return failure.exit_code


def say_that_it_goes_on(names: list[str]) -> None:
    """Write how to end the Jobs that go on after Ctrl-C."""
    for name in names:
        click.echo(f"\n{name} goes on. Delete it with: researcher delete {name}", err=True)


class Watcher:
    """Shows the progress, and once the reason why a Job waits."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._explained = False

    def watch(self, job: Job) -> None:
        """Take notice of the Job."""
        self._progress.show(job)
        if job.status in WAITING and not self._explained and self._progress.elapsed > PATIENCE:
            self._explained = True
            try:
                lines = explain(job.view, job.why())
            except (ApiError, Unavailable):
                return  # the next look shows whether the server is there
            self._progress.clear()
            for line in lines:
                click.echo(line, err=True)
