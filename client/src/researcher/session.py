"""Which server a command uses, which Project, and whose token.

The first of these that is set decides:

* the server: the argument, RESEARCHER_URL, the context (`-c`, RESEARCHER_CONTEXT, the current one), and the file
  `.local/session.env` of a `make run` in this folder;
* the Project: the argument, RESEARCHER_PROJECT, the context, config.toml, and the caller's only Project;
* the token: the argument, RESEARCHER_TOKEN, RESEARCHER_ID_TOKEN (the OIDC token that a job of GitLab CI declares),
  RESEARCHER_CLIENT_ID with RESEARCHER_CLIENT_SECRET, the sign-in of the context, the session of `make run`, and the
  OIDC token of GitHub Actions.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from researcher.ci_tokens import ci_tokens, given_token
from researcher.config import Context, Contexts, read_settings
from researcher.connection import LOOPBACK
from researcher.errors import NotSignedIn, UsageError
from researcher.token_store import Stored, read_stored
from researcher.tokens import Applications, StoredToken, Token

if TYPE_CHECKING:
    from researcher.transport import TokenSource

LOCAL_SESSION = Path(".local/session.env")


class Session(NamedTuple):
    """The server, the Project, the source of tokens, and the name of the context."""

    url: str
    project: str
    tokens: TokenSource
    context: str


def find_session(
    url: str | None = None, token: str | None = None, context: str | None = None, project: str | None = None
) -> Session:
    """Return the session for these arguments, the environment and the files."""
    environment = os.environ
    given = url or environment.get("RESEARCHER_URL", "")
    chosen, name = Context(given), ""
    local: dict[str, str] = {}
    if not given or context:
        chosen, name = _find_context(context or environment.get("RESEARCHER_CONTEXT", ""))
    if not chosen.url:
        local = read_local_session()
        chosen = Context(local.get("BASE_URL", ""))
    if not chosen.url:
        raise NotSignedIn("No server is chosen. Run `researcher login URL`, or set RESEARCHER_URL.")
    project = project or environment.get("RESEARCHER_PROJECT") or chosen.project or _default_project()
    return Session(chosen.url.rstrip("/"), project, _find_tokens(chosen, token, local), name)


def _find_context(name: str) -> tuple[Context, str]:
    contexts = Contexts.read()
    name = name or contexts.current
    return (contexts.get(name), name) if name else (Context(""), "")


def _default_project() -> str:
    project = read_settings().get("project", "")
    if not isinstance(project, str):
        raise UsageError("project in config.toml must be a string.")
    return project


def _find_tokens(context: Context, token: str | None, local: dict[str, str]) -> TokenSource:
    environment = os.environ
    if (given := Token(token.strip()) if token else given_token(environment)) is not None:
        return given
    client_id, secret = environment.get("RESEARCHER_CLIENT_ID"), environment.get("RESEARCHER_CLIENT_SECRET")
    if client_id and secret:
        return Applications(context.url, Stored(client_id=client_id, client_secret=secret, token_url=_token_url()))
    stored = read_stored(context.url)
    if stored is not None:
        return StoredToken(context.url)
    if local:
        session = Stored(
            client_id=local["CLIENT_ID"], client_secret=local["CLIENT_SECRET"], token_url=local["TOKEN_URL"]
        )
        return Applications(context.url, session)
    return ci_tokens(environment)


def _token_url() -> str:
    return os.environ.get("RESEARCHER_TOKEN_URL", "")


def read_local_session() -> dict[str, str]:
    """Return the variables of a `make run` in this folder; empty without one.

    Only servers on loopback are taken, because any user may have written a file in the working directory.
    """
    try:
        lines = LOCAL_SESSION.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    values = dict(line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
    needed = ("BASE_URL", "TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET")
    hosts = [urlsplit(values.get(name, "")).hostname for name in needed[:2]]
    return values if all(host in LOOPBACK for host in hosts) and all(name in values for name in needed) else {}
