"""The commands that show Jobs: list, get, events, why."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from researcher.cli.options import job_argument, job_arguments, make_client, output_option, server_options
from researcher.cli.output import describe_job, plain, table, write_document, write_jobs
from researcher.errors import UsageError
from researcher.models import JobStatus
from researcher.times import local_time

if TYPE_CHECKING:
    from researcher.client import Client
    from researcher.models import Diagnosis, JobView

STATUSES: tuple[str, ...] = JobStatus.__args__[0].__args__
INTERVAL = 2.0


@click.command("list")
@click.option(
    "-s",
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(STATUSES, case_sensitive=False),
    metavar="STATUS",
    help="Only Jobs with this status, such as Running; may be given several times.",
)
@click.option("-l", "--label", "labels", multiple=True, metavar="NAME=VALUE", help="Only Jobs with this label.")
@click.option("-u", "--user", help="Only Jobs of this user.")
@click.option("-w", "--watch", is_flag=True, help="Show the list again every two seconds, until Ctrl-C.")
@click.option("--indexes", metavar="JOB", help="List the indexes of this Indexed Job.")
@output_option("table", "wide", "json", "yaml", "name")
@server_options
def list_command(  # noqa: PLR0913, PLR0917 - one for each option
    statuses: tuple[str, ...],
    labels: tuple[str, ...],
    user: str | None,
    watch: bool,
    indexes: str | None,
    output: str,
    project: str | None,
    context: str | None,
) -> None:
    """List the Jobs of the Project."""
    client = make_client({"project": project, "context": context})
    if indexes is not None:
        _write_indexes(client, indexes, output)
        return
    if watch and output in {"json", "yaml"}:
        raise UsageError("-w shows a table; it cannot be combined with json or yaml.")
    while True:
        jobs = find_jobs(client, statuses, labels, user)
        if watch and sys.stdout.isatty():
            click.clear()
        _write_list(jobs, output)
        if not watch:
            return
        time.sleep(INTERVAL)


def find_jobs(client: Client, statuses: tuple[str, ...], labels: tuple[str, ...], user: str | None) -> list[JobView]:
    """Return the Jobs with one of the statuses, or all."""
    selector = ",".join(labels) or None
    one = statuses[0] if len(statuses) == 1 else None
    jobs = (job.view for job in client.jobs(status=one, label=selector, user=user))
    return [job for job in jobs if not statuses or job.status in statuses]


def _write_list(jobs: list[JobView], output: str) -> None:
    if jobs or output in {"json", "yaml"}:
        write_jobs(jobs, output)
    elif output != "name":
        click.echo("No Jobs. Submit one with `researcher submit`.", err=True)


def _write_indexes(client: Client, name: str, output: str) -> None:
    job = client.get(name)
    rows = job.indexes()
    if output in {"json", "yaml"}:
        write_document(
            [
                {
                    "index": each.number, "state": each.state, "exitCode": each.exit_code, "reason": each.reason,
                    "parameters": each.parameters,
                }
                for each in rows
            ],
            output,
        )  # fmt: skip
        return
    names = list(rows[0].parameters) if rows else []
    cells = ([str(each.number), each.state or "-", _code(each.exit_code), *each.parameters.values()] for each in rows)
    click.echo(table([["INDEX", "STATE", "EXIT CODE", *names], *cells]))


def _code(code: int | None) -> str:
    return "-" if code is None else str(code)


@click.command("get")
@output_option("table", "wide", "json", "yaml", "name")
@server_options
@job_arguments
def get_command(names: tuple[str, ...], output: str, project: str | None, context: str | None) -> None:
    """Show Jobs."""
    client = make_client({"project": project, "context": context})
    views = [client.get(name).view for name in names]
    if output == "table" and len(views) == 1:
        describe_job(views[0])
    else:
        write_jobs(views, output, single=len(views) == 1)


@click.command("events")
@output_option("table", "json", "yaml")
@server_options
@job_argument
def events_command(name: str, output: str, project: str | None, context: str | None) -> None:
    """Show what the cluster recorded about a Job and its pods, the latest last.

    The cluster forgets events, usually after an hour.
    """
    events = make_client({"project": project, "context": context}).get(name).events()
    if output != "table":
        write_document([event.document for event in events], output)
    elif not events:
        click.echo("No events: the cluster forgets them, usually after an hour.", err=True)
    else:
        rows = (
            (
                local_time(each.last_seen),
                each.type,
                each.reason,
                f"{each.object.kind} {each.object.name}",
                plain(each.message) + (f" ({each.count} times)" if each.count > 1 else ""),
            )
            for each in events
        )
        click.echo(table([("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"), *rows]))


@click.command("why")
@output_option("table", "json", "yaml")
@server_options
@job_argument
def why_command(name: str, output: str, project: str | None, context: str | None) -> None:
    """Explain why a Job is where it is, and what to do."""
    job = make_client({"project": project, "context": context}).get(name)
    diagnosis = job.why()
    if output != "table":
        write_document(diagnosis.document, output)
        return
    for line in explain(job.view, diagnosis):
        click.echo(line)


def explain(job: JobView, diagnosis: Diagnosis) -> list[str]:
    """Return the sentence, the evidence and the remedy."""
    found = plain(diagnosis.evidence.message).strip()
    what = f"{job.name} is {job.status}: {found or diagnosis.cause}"
    evidence = diagnosis.evidence
    shown = f"Evidence: {diagnosis.cause}, from {evidence.field} of {evidence.object.kind} {evidence.object.name}"
    since = f" since {local_time(diagnosis.since)}" if diagnosis.since else ""
    return [_sentence(what), _sentence(shown + since), f"What to do: {plain(diagnosis.remedy)}"]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
