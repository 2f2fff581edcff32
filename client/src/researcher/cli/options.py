"""The options and arguments that commands share, and the completion of Job names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from researcher.client import Client


def complete_job(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the Jobs whose names begin so; nothing where they cannot be listed."""
    del param
    from click.shell_completion import CompletionItem

    from researcher.errors import ResearcherError

    try:
        jobs = list(make_client(ctx.params, timeout=3.0, attempts=1).jobs())
    except ResearcherError:
        return []
    return [CompletionItem(job.name, help=job.status) for job in jobs if job.name.startswith(incomplete)]


def complete_project(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the Projects whose names begin so; nothing where they cannot be listed."""
    del param
    from click.shell_completion import CompletionItem

    from researcher.errors import ResearcherError

    try:
        projects = make_client(ctx.params, timeout=3.0, attempts=1).projects()
    except ResearcherError:
        return []
    return [CompletionItem(each.name) for each in projects if each.name.startswith(incomplete)]


def make_client(params: dict[str, Any], **options: Any) -> Client:  # noqa: ANN401 - those of Client
    """Return the client that the shared options choose."""
    from researcher.client import Client

    return Client(context=params.get("context"), project=params.get("project"), **options)


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose the server and the Project."""
    project = click.option(
        "-p", "--project", metavar="PROJECT", shell_complete=complete_project, help="The Project. [RESEARCHER_PROJECT]"
    )
    context = click.option("-c", "--context", metavar="NAME", help="The context of `researcher login`.")
    return project(context(command))


def output_option(*formats: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the option for the output format."""
    return click.option(
        "-o", "--output", type=click.Choice(formats), default=formats[0], show_default=True, help="The output format."
    )


def job_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the name of one Job."""
    return click.argument("name", shell_complete=complete_job)(command)


def job_arguments(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the names of one or more Jobs."""
    return click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_job)(command)
