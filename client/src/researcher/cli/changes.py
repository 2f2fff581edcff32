"""The commands that change Jobs: delete, suspend, resume, retry, clone, keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from researcher.cli.options import job_argument, job_arguments, make_client, output_option, server_options
from researcher.cli.output import write_jobs
from researcher.errors import ResearcherError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from researcher.job import Job


@click.command("delete")
@click.option("--reason", help="The reason, for the request log.")
@server_options
@job_arguments
def delete_command(names: tuple[str, ...], reason: str | None, project: str | None, context: str | None) -> int:
    """Delete Jobs with their pods and logs.

    The UID of each Job is looked up first, so that a later Job of the same name is not deleted in its place.
    """
    return _for_each(names, project, context, lambda job: _delete(job, reason))


def _delete(job: Job, reason: str | None) -> None:
    job.delete(reason=reason)
    click.echo(f"{job.name} is being deleted.", err=True)


@click.command("suspend")
@server_options
@job_arguments
def suspend_command(names: tuple[str, ...], project: str | None, context: str | None) -> int:
    """Suspend Jobs: their pods end, and their GPUs are free. After a resume they start from the beginning."""
    return _for_each(names, project, context, lambda job: _changed(job.suspend()))


@click.command("resume")
@server_options
@job_arguments
def resume_command(names: tuple[str, ...], project: str | None, context: str | None) -> int:
    """Resume suspended Jobs: their pods start from the beginning."""
    return _for_each(names, project, context, lambda job: _changed(job.resume()))


@click.command("keep")
@click.option("--undo", is_flag=True, help="Make the Jobs subject to cleanup again.")
@server_options
@job_arguments
def keep_command(names: tuple[str, ...], undo: bool, project: str | None, context: str | None) -> int:
    """Exempt Jobs from the cleanup of finished Jobs."""
    return _for_each(names, project, context, lambda job: _changed(job.keep(keep=not undo)))


@click.command("retry")
@output_option("name", "table", "json", "yaml")
@server_options
@job_argument
def retry_command(name: str, output: str, project: str | None, context: str | None) -> None:
    """Run the failed indexes of an Indexed Job again, as a new Job.

    The Job must have finished; the indexes that it did not complete are run. The name of the new Job is printed.
    For a Job without indexes, use `researcher clone NAME`.
    """
    job = make_client({"project": project, "context": context}).get(name).retry()
    write_jobs([job.view], output, single=True)


@click.command("clone")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field: gpu=4, environment.LR=0.1. The value is JSON or text; null removes the field.",
)
@click.option("--name", "new_name", help="The name of the new Job.")
@output_option("name", "table", "json", "yaml")
@server_options
@job_argument
def clone_command(  # noqa: PLR0913, PLR0917 - one for each option
    name: str,
    changes: tuple[str, ...],
    new_name: str | None,
    output: str,
    project: str | None,
    context: str | None,
) -> None:
    """Submit a Job again, with changes, and print the name of the new Job."""
    client = make_client({"project": project, "context": context})
    patch = parse_changes(changes)
    if new_name:
        patch["name"] = new_name
    job = client.clone_body(client.project_name, name, patch)
    write_jobs([job.view], output, single=True)


def parse_changes(changes: tuple[str, ...]) -> dict[str, Any]:
    """Return the merge patch for `gpu=4` and `environment.LR=0.1`."""
    from researcher.cli.values import field_value

    patch: dict[str, Any] = {}
    for change in changes:
        path, equals, text = change.partition("=")
        field, dot, key = path.partition(".")
        if not equals or not field or (dot and not key):
            raise UsageError(f"--set {change} must be FIELD=VALUE or FIELD.KEY=VALUE.")
        if dot:
            patch.setdefault(field, {})[key] = None if text == "null" else text
        else:
            patch[field] = field_value(field, text)
    return patch


def _changed(job: Job) -> None:
    click.echo(f"{job.name} is {job.status}{', and kept' if job.view.keep else ''}.", err=True)


def _for_each(names: tuple[str, ...], project: str | None, context: str | None, change: Callable[[Job], None]) -> int:
    """Change each Job; one that fails does not stop the others. Return the exit code of the first failure."""
    from researcher.cli.main import report

    client = make_client({"project": project, "context": context})
    code = 0
    for name in names:
        try:
            change(client.get(name))
        except ResearcherError as error:
            report(error)
            code = code or error.exit_code
    return code
