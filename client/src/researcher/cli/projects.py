"""The command project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from researcher.cli.options import complete_project, make_client, output_option
from researcher.cli.output import table, write_document, write_fields
from researcher.times import local_time

if TYPE_CHECKING:
    from researcher.models import ProjectDetail


@click.command("project")
@click.option("--list", "list_all", is_flag=True, help="List the Projects that you may use.")
@click.option("-c", "--context", metavar="NAME", help="The context of `researcher login`.")
@click.option("-p", "--project", metavar="PROJECT", hidden=True, shell_complete=complete_project)
@output_option("table", "json", "yaml", "name")
@click.argument("name", required=False, shell_complete=complete_project)
def project_command(name: str | None, list_all: bool, context: str | None, project: str | None, output: str) -> None:
    """Show a Project: its quota, its Jobs, and what you may do there."""
    client = make_client({"project": name or project, "context": context})
    if list_all:
        views = client.projects()
        if output in {"json", "yaml"}:
            write_document([view.document for view in views], output)
        else:
            rows = [(view.name, view.namespace, local_time(view.created_at)) for view in views]
            shown = [("NAME", "NAMESPACE", "CREATED"), *rows]
            click.echo("\n".join(view.name for view in views) if output == "name" else table(shown))
        return
    detail = client.project()
    if output == "name":
        click.echo(detail.name)
    elif output != "table":
        write_document(detail.document, output)
    else:
        _describe(detail)


def _describe(project: ProjectDetail) -> None:
    gpus, jobs = project.gpus, project.jobs
    quota = "no quota" if gpus.quota is None else f"quota {gpus.quota}"
    write_fields(
        [
            ("Name", project.name),
            ("Namespace", project.namespace),
            ("GPUs", f"{quota}, {gpus.requested} requested, {gpus.allocated} allocated"),
            ("Jobs", f"{jobs.running} running, {jobs.pending} pending, {jobs.suspended} suspended"),
            ("You may", ", ".join(project.verbs)),
            *((f"Quota {quota.name}", _use(quota.hard, quota.used)) for quota in project.quotas),
            ("Note", "" if project.complete else "there are more Jobs or pods than were counted"),
        ]
    )


def _use(hard: dict[str, str], used: dict[str, str]) -> str:
    return ", ".join(f"{name} {used.get(name, '0')} of {limit}" for name, limit in sorted(hard.items()))
