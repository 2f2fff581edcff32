"""The commands about servers and identities: logout, whoami, context, version."""

from __future__ import annotations

from dataclasses import replace

import click

from researcher.cli.options import make_client, output_option, server_options
from researcher.cli.output import table, write_document, write_fields
from researcher.config import Contexts
from researcher.errors import ApiError, UsageError
from researcher.models import API_VERSION


@click.command("logout")
@click.option("-c", "--context", metavar="NAME", help="The context. [default: the current one]")
def logout_command(context: str | None) -> None:
    """Delete the tokens of a server from this machine."""
    from researcher.token_store import delete_stored

    contexts = Contexts.read()
    name = context or contexts.current
    if not name:
        raise UsageError("You are not signed in.")
    found = delete_stored(contexts.get(name).url)
    click.echo(f"You are signed out of {name}." if found else f"You were not signed in to {name}.", err=True)


@click.command("whoami")
@output_option("table", "json", "yaml")
@server_options
def whoami_command(output: str, project: str | None, context: str | None) -> None:
    """Show the server and the Projects that you may use."""
    client = make_client({"project": project, "context": context})
    projects = [each.name for each in client.projects()]
    document = client.transport.get("/me") if client.capabilities.has_path("/me") else {"projects": projects}
    if output != "table":
        write_document(document, output)
        return
    pairs = [(str(name).capitalize(), _text(value)) for name, value in document.items() if name != "projects"]
    server = [("Server", client.transport.url), ("Context", client.context)]
    write_fields([*server, *pairs, ("Projects", ", ".join(projects))])


def _text(value: object) -> str:
    return ", ".join(_text(each) for each in value) if isinstance(value, list) else str(value)


@click.command("context")
@click.argument("action", required=False, type=click.Choice(["list", "use", "delete"]))
@click.argument("name", required=False)
@click.option("-p", "--project", metavar="PROJECT", help="With use: the Project of commands without -p.")
def context_command(action: str | None, name: str | None, project: str | None) -> None:
    """List the contexts, or choose one: `researcher context use NAME -p PROJECT`."""
    contexts = Contexts.read()
    if action in {None, "list"}:
        rows = [
            ("*" if each == contexts.current else "", each, context.url, context.project)
            for each, context in sorted(contexts.contexts.items())
        ]
        click.echo(table([("CURRENT", "NAME", "SERVER", "PROJECT"), *rows]))
        return
    chosen = contexts.get(name or contexts.current)
    key = name or contexts.current
    if action == "delete":
        from researcher.token_store import delete_stored

        delete_stored(chosen.url)
        del contexts.contexts[key]
        contexts.current = "" if contexts.current == key else contexts.current
    else:
        contexts.current = key
        contexts.contexts[key] = replace(chosen, project=project or chosen.project)
    contexts.write()


@click.command("version")
@output_option("table", "json", "yaml")
@server_options
def version_command(output: str, project: str | None, context: str | None) -> None:
    """Compare the versions of this client and the server."""
    try:
        server = make_client({"project": project, "context": context}).health().version
    except ApiError as error:
        raise UsageError("The server does not report its version: is this the URL of a Researcher REST API?") from error
    if output == "table":
        write_fields([("Client", API_VERSION), ("Server", server)])
    else:
        write_document({"client": API_VERSION, "server": server}, output)
    if note := compare_versions(API_VERSION, server):
        click.echo(note, err=True)


def compare_versions(client: str, server: str) -> str:
    """Return one sentence if the two do not belong together; else nothing."""
    ours, theirs = _numbers(client), _numbers(server)
    if ours == theirs:
        return ""
    if theirs > ours:
        return f"The server is newer: update the client to {server} to use all that it offers."
    return f"The server is older than this client: features that are newer than {server} are not available."


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
