"""What the `chalice` command does in this repository; app.py calls it if that command loads it.

Chalice's own packaging makes one function of all routes, with one role, and without the parameters of the stack. So
`make` has the commands, and those of `chalice` that would package or deploy end with a sentence that names them.
`chalice local` serves the routes, for the documents and /health even without the settings of a deployment.
"""

from __future__ import annotations

import os
from pathlib import Path

import click
from msgspec.structs import fields

from chalicelib.configuration import PACKAGED
from chalicelib.settings import Settings

INSTEAD = {
    "package": "make package",
    "deploy": "make deploy",
    "dev plan": "make package",
    "dev appgraph": "make package",
}
"""Commands that would use Chalice's packaging, and what to use instead."""
LOCAL = "local"
"""The command that serves the routes; it loads the app in a thread, which has no context of the command."""
PLACEHOLDER = "local"
CONFIGURATION = Path(__file__).parent / "placeholder.json"
"""A configuration that trusts no real issuer and no cluster."""


def prepare() -> None:
    """Prepare the process for the `chalice` command that runs in it.

    Raises:
        click.ClickException: it would package or deploy, which `make` does.
    """
    context = click.get_current_context(silent=True)
    command = context.command_path.partition(" ")[2] if context else LOCAL
    if command in INSTEAD:
        raise click.ClickException(
            f"chalice {command} cannot package this app, whose routes are functions of their own. "
            f"Use `{INSTEAD[command]}`; docs/operate/deploy.md describes it."
        )
    missing = [name for field in fields(Settings) if field.required and not os.environ.get(name := field.name.upper())]
    os.environ.update(dict.fromkeys(missing, PLACEHOLDER))
    if not PACKAGED.exists():
        os.environ.setdefault("CONFIGURATION_FILE", str(CONFIGURATION))
    if missing and command == LOCAL:
        click.echo(
            f"Without the settings {', '.join(missing)} only /health, /docs, /sign-in and /openapi.json work. "
            "Use `make run` for the whole API with a simulated cluster.",
            err=True,
        )
