"""The command logs, for one Job or several at once."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from researcher.cli.following import report_end, say_that_it_goes_on
from researcher.cli.options import job_arguments, make_client, server_options
from researcher.cli.waiting import merge, parse_duration
from researcher.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from researcher.job import Job

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
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
        for number, line in merge([partial(read, source) for source in sources]):
            click.echo(heads[number] + line)
        return
    for head, source in zip(heads, sources, strict=True):
        for line in read(source):
            click.echo(head + line)


def _exit_code(jobs: list[Job]) -> int:
    unique = {job.name: job for job in jobs}
    codes = [report_end(job.wait(), tail=False) for job in unique.values()]
    return next((code for code in codes if code), 0)


def parse_index_list(text: str) -> list[int]:
    """Return the indexes of `0,2-5`."""
    from researcher.indexes import parse_indexes

    parts = text.split(",")
    if not all(re.fullmatch(r"\d{1,9}(-\d{1,9})?", part) for part in parts):
        raise UsageError(f"--index {text} must be numbers or ranges, separated by commas: 0,2-5.")
    return sorted(parse_indexes(text))
