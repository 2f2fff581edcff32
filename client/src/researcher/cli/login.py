"""The command login."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from researcher.config import Context, Contexts
from researcher.errors import UsageError

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
