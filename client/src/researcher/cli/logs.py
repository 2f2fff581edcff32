"""The commands logs and wait, for one Job or several at once."""

from __future__ import annotations

import queue
import re
import threading
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from researcher.cli.following import report_end, say_that_it_goes_on
from researcher.cli.options import job_arguments, make_client, server_options
from researcher.cli.progress import Progress
from researcher.errors import ResearcherError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from researcher.job import Job

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MAX_FOLLOWED = 64


class Source(NamedTuple):
    """The log of a Job, or of one of its indexes."""

    job: Job
    number: int | None

    @property
    def label(self) -> str:
        """The name before each line."""
        return self.job.name if self.number is None else f"{self.job.name}/{self.number}"


@click.command("logs")
@click.option("-f", "--follow", is_flag=True, help="Go on until the Jobs have finished, and exit as they did.")
@click.option("--index", "indexes", metavar="0,2-5", help="The pods with these indexes, or node ranks.")
@click.option("--container", help="Another container than the first.")
@click.option("--previous", is_flag=True, help="The attempt before.")
@click.option("--since", metavar="10m", help="Only lines that are not older.")
@click.option("--tail", type=int, metavar="LINES", help="Only so many lines, from the end.")
@click.option("--timestamps", is_flag=True, help="Begin each line with its time.")
@server_options
@job_arguments
def logs_command(  # noqa: PLR0913, PLR0917 - one for each option
    names: tuple[str, ...],
    follow: bool,
    indexes: str | None,
    container: str | None,
    previous: bool,
    since: str | None,
    tail: int | None,
    timestamps: bool,
    project: str | None,
    context: str | None,
) -> int:
    """Print the logs of Jobs, or follow them.

    Lines of several Jobs or indexes begin with their names.
    """
    if follow and (previous or timestamps):
        raise UsageError("-f cannot be combined with --previous or --timestamps.")
    client = make_client({"project": project, "context": context})
    numbers: Sequence[int | None] = parse_index_list(indexes) if indexes else [None]
    sources = [Source(client.get(name), number) for name in names for number in numbers]
    seconds = parse_duration("--since", since) if since else None

    def read(source: Source) -> Iterator[str]:
        return source.job.logs(
            follow=follow, tail=tail, since=seconds, index=source.number, container=container,
            previous=previous, timestamps=timestamps,
        )  # fmt: skip

    try:
        _print_all(sources, read, concurrently=follow)
        return _exit_code([source.job for source in sources]) if follow else 0
    except KeyboardInterrupt:
        if follow:
            say_that_it_goes_on(list(dict.fromkeys(names)))
        raise


def _print_all(sources: list[Source], read: Callable[[Source], Iterator[str]], *, concurrently: bool) -> None:
    if len(sources) == 1:
        for line in read(sources[0]):
            click.echo(line)
        return
    if len(sources) > MAX_FOLLOWED:
        raise UsageError(f"At most {MAX_FOLLOWED} logs can be read at once; these are {len(sources)}.")
    width = max(len(source.label) for source in sources)
    heads = [
        click.style(f"{source.label:<{width}} | ", fg=COLOURS[number % len(COLOURS)])
        for number, source in enumerate(sources)
    ]
    if concurrently:
        for number, line in _merge([partial(read, source) for source in sources]):
            click.echo(heads[number] + line)
        return
    for head, source in zip(heads, sources, strict=True):
        for line in read(source):
            click.echo(head + line)


def _merge(readers: Sequence[Callable[[], Iterator[str]]]) -> Iterator[tuple[int, str]]:
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


def _exit_code(jobs: list[Job]) -> int:
    unique = {job.name: job for job in jobs}
    codes = [report_end(job.wait(), tail=False) for job in unique.values()]
    return next((code for code in codes if code), 0)


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
        for number, _ in _merge(waiters):
            ended.append(jobs[number])
            if not wait_for_all:
                break
    except KeyboardInterrupt:
        say_that_it_goes_on([job.name for job in jobs if job not in ended])
        raise
    return ended


def parse_duration(option: str, text: str) -> int:
    """Return the seconds of `90`, `90s`, `10m`, `2h` or `1d`."""
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", text.strip())
    if not match:
        raise UsageError(f"{option} {text} must be a number of seconds, or end with s, m, h or d.")
    return int(match[1]) * UNITS.get(match[2], 1)


def parse_index_list(text: str) -> list[int]:
    """Return the indexes of `0,2-5`."""
    from researcher.job import parse_indexes

    parts = text.split(",")
    if not all(re.fullmatch(r"\d{1,9}(-\d{1,9})?", part) for part in parts):
        raise UsageError(f"--index {text} must be numbers or ranges, separated by commas: 0,2-5.")
    return sorted(parse_indexes(text))
