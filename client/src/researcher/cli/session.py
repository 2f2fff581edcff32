"""The commands about servers and identities: login, logout, whoami, context, version."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from researcher.cli.options import make_client, output_option, server_options
from researcher.cli.output import table, write_document, write_fields
from researcher.config import Context, Contexts
from researcher.errors import ApiError, UsageError
from researcher.models import API_VERSION

if TYPE_CHECKING:
    from researcher.sign_in import PublicClient
    from researcher.token_store import Stored


@click.command("login")
@click.argument("url", required=False)
@click.option("--name", help="The name of the context. [default: the host]")
@click.option("-p", "--project", metavar="PROJECT", help="The Project of commands without -p.")
@click.option("--device", is_flag=True, help="Sign in with a browser on another machine.")
@click.option("--issuer", metavar="URL", help="The token issuer, if the server names several or none.")
@click.option("--client-id", metavar="ID", help="The client ID, of this program or of an Application.")
@click.option("--client-secret-stdin", is_flag=True, help="Sign in as the Application; its secret is read from stdin.")
def login_command(  # noqa: PLR0913, PLR0917 - one for each option
    url: str | None,
    name: str | None,
    project: str | None,
    device: bool,
    issuer: str | None,
    client_id: str | None,
    client_secret_stdin: bool,
) -> None:
    """Sign in to a server, and make it the current context.

    Without options, the browser opens. In CI no login is needed: set RESEARCHER_URL and RESEARCHER_TOKEN.
    """
    contexts = Contexts.read()
    known = contexts.contexts.get(name or contexts.current)
    address = (url or (known.url if known else "")).rstrip("/")
    if not address:
        raise UsageError("Which server? Run `researcher login URL` with the URL of the API.")
    if client_secret_stdin:
        stored = _application(address, client_id)
        signed_in = Context(address, "", stored.client_id)
    else:
        client = _choose_client(address, issuer, client_id)
        stored = _sign_in(client, device=device)
        signed_in = Context(address, client.issuer, client.client_id)
    _keep(contexts, name or urlsplit(address).netloc, signed_in, stored, project)


def _application(url: str, client_id: str | None) -> Stored:
    from researcher.token_store import Stored
    from researcher.tokens import renew

    if not client_id:
        raise UsageError("--client-secret-stdin needs --client-id.")
    secret = sys.stdin.readline().strip()
    if not secret:
        raise UsageError("The secret on stdin is empty.")
    return renew(Stored(client_id=client_id, client_secret=secret), url)


def _choose_client(url: str, issuer: str | None, client_id: str | None) -> PublicClient:
    from researcher.sign_in import PublicClient, published_clients

    if issuer and client_id:
        return PublicClient(issuer, client_id)
    published = [each for each in published_clients(url) if issuer in {None, each.issuer}]
    if not published:
        raise UsageError(
            "The server publishes no sign-in for people. Use --issuer and --client-id, or sign in as an Application "
            "with --client-id and --client-secret-stdin."
        )
    if len(published) > 1:
        raise UsageError("Choose one with --issuer: " + ", ".join(each.issuer for each in published))
    return published[0]


def _sign_in(client: PublicClient, *, device: bool) -> Stored:
    import webbrowser

    from researcher.sign_in import with_browser, with_device

    def show_code(url: str, code: str) -> None:
        click.echo(f"Open {url} and enter the code {code}", err=True)

    def open_browser(url: str) -> None:
        click.echo(f"Your browser opens. If it does not, open this page:\n{url}", err=True)
        webbrowser.open(url)

    return with_device(client, show_code) if device else with_browser(client, open_browser)


def _keep(contexts: Contexts, name: str, context: Context, stored: Stored, project: str | None) -> None:
    from researcher.client import Client
    from researcher.token_store import lock, write_stored

    known = contexts.contexts.get(name)
    projects = [each.name for each in Client(context.url, token=stored.access_token).projects()]
    if project and project not in projects:
        raise UsageError(f"You may not use the Project {project}. Yours are: {', '.join(projects) or 'none'}.")
    before = known.project if known and known.url == context.url and known.project in projects else ""
    chosen = project or before or (projects[0] if len(projects) == 1 else "")
    with lock(context.url):
        write_stored(context.url, stored)
    contexts.contexts[name] = replace(context, project=chosen)
    contexts.current = name
    contexts.write()
    hint = (
        f"Its Project is {chosen}."
        if chosen
        else f"Choose a Project with -p: {', '.join(projects) or 'you have none'}."
    )
    click.echo(f"You are signed in to {context.url}. {hint}", err=True)


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
