"""The command wait, and what waits for several Jobs at once."""

from __future__ import annotations

import queue
import re
import threading
from typing import TYPE_CHECKING

import click

from researcher.cli.following import report_end, say_that_it_goes_on
from researcher.cli.options import job_arguments, make_client, server_options
from researcher.cli.progress import Progress
from researcher.errors import ResearcherError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from researcher.job import Job

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@click.command("wait")
@click.option(
    "--until",
    type=click.Choice(["finished", "running"]),
    default="finished",
    show_default=True,
    help="What to wait for.",
)
@click.option("--timeout", metavar="2h", help="Give up after this time, with exit code 124; the Jobs go on.")
@click.option("--all/--any", "wait_for_all", default=True, help="Wait for all Jobs, or for the first of them.")
@server_options
@job_arguments
def wait_command(  # noqa: PLR0913, PLR0917 - one for each option
    names: tuple[str, ...],
    until: str,
    timeout: str | None,
    wait_for_all: bool,
    project: str | None,
    context: str | None,
) -> int:
    """Wait until Jobs have finished, and exit as they did.

    The exit code is that of the first Job that failed, in the order of the names. With --any, wait until one has
    finished, and exit as that one did.
    """
    client = make_client({"project": project, "context": context})
    jobs = [client.get(name) for name in dict.fromkeys(names)]
    seconds = parse_duration("--timeout", timeout) if timeout else None
    with Progress() as progress:
        watch = progress.show if len(jobs) == 1 else None

        def waiter(job: Job) -> Callable[[], Iterator[str]]:
            def wait() -> Iterator[str]:
                job.wait(until=until, timeout=seconds, watch=watch)
                yield job.name

            return wait

        ended = _wait_for(jobs, [waiter(job) for job in jobs], wait_for_all=wait_for_all)
    in_order = ended if not wait_for_all else jobs
    if until == "running":
        in_order = [job for job in in_order if job.finished]
    codes = [report_end(job, tail=True) for job in in_order]
    return next((code for code in codes if code), 0)


def _wait_for(jobs: list[Job], waiters: Sequence[Callable[[], Iterator[str]]], *, wait_for_all: bool) -> list[Job]:
    ended: list[Job] = []
    try:
        for number, _ in merge(waiters):
            ended.append(jobs[number])
            if not wait_for_all:
                break
    except KeyboardInterrupt:
        say_that_it_goes_on([job.name for job in jobs if job not in ended])
        raise
    return ended


def merge(readers: Sequence[Callable[[], Iterator[str]]]) -> Iterator[tuple[int, str]]:
    """Yield the lines of all readers as they come; raise the first error when all have ended."""
    lines: queue.Queue[tuple[int, str | BaseException | None]] = queue.Queue(maxsize=1000)

    def run(number: int, reader: Callable[[], Iterator[str]]) -> None:
        try:
            for line in reader():
                lines.put((number, line))
            lines.put((number, None))
        except ResearcherError as error:
            lines.put((number, error))

    for number, reader in enumerate(readers):
        threading.Thread(target=run, args=(number, reader), daemon=True).start()
    errors: list[BaseException] = []
    open_readers = len(readers)
    while open_readers:
        number, line = lines.get()
        if isinstance(line, str):
            yield number, line
            continue
        open_readers -= 1
        if line is not None:
            errors.append(line)
    if errors:
        raise errors[0]


def parse_duration(option: str, text: str) -> int:
    """Return the seconds of `90`, `90s`, `10m`, `2h` or `1d`."""
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", text.strip())
    if not match:
        raise UsageError(f"{option} {text} must be a number of seconds, or end with s, m, h or d.")
    return int(match[1]) * UNITS.get(match[2], 1)
