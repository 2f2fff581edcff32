"""The OIDC tokens of CI services: no secret has to be stored.

GitHub Actions issues a token when it is requested. GitLab has no such endpoint: the job declares the token, and gets it
in a variable; so do other services. RESEARCHER_ID_TOKEN is the name of that variable.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from researcher.errors import NotSignedIn
from researcher.oauth import get_json
from researcher.token_store import DEFAULT_LIFETIME, EARLY_SECONDS
from researcher.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Mapping

AUDIENCE = "researcher"
GITHUB_HINT = "Add `permissions: {{id-token: write}}` to the job of GitHub Actions, whose token has the audience {0}."
GITLAB_HINT = "Add `id_tokens: {{RESEARCHER_ID_TOKEN: {{aud: {0}}}}}` to the job in .gitlab-ci.yml."


class GitHubActions:
    """The OIDC tokens of a GitHub Actions run with `permissions: {id-token: write}`."""

    def __init__(self, request_url: str, request_token: str, audience: str) -> None:
        self._request = (request_url, request_token, audience)
        self._token = ""
        self._until = 0.0

    def bearer(self, *, refused: str | None = None) -> str:
        """Return a token; they are valid for five minutes."""
        if not self._token or self._token == refused or time.time() > self._until:
            url, token, audience = self._request
            answer = get_json(url, {"audience": audience}, token)
            self._token, self._until = str(answer["value"]), time.time() + DEFAULT_LIFETIME - EARLY_SECONDS
        return self._token


class Undeclared(NamedTuple):
    """The token that a CI job has not declared."""

    hint: str

    def bearer(self, *, refused: str | None = None) -> NoReturn:
        """Raise NotSignedIn with how to declare it."""
        del refused
        raise NotSignedIn(f"This CI job has no token. {self.hint}")


def given_token(environment: Mapping[str, str]) -> Token | None:
    """Return the token that a variable has: one that is given, or the OIDC token of a CI job."""
    value = environment.get("RESEARCHER_TOKEN") or environment.get("RESEARCHER_ID_TOKEN")
    return Token(value.strip()) if value else None


def ci_tokens(environment: Mapping[str, str]) -> GitHubActions | Undeclared | Token:
    """Return the tokens of the CI job; none outside of one."""
    audience = environment.get("RESEARCHER_AUDIENCE") or AUDIENCE
    if request := environment.get("ACTIONS_ID_TOKEN_REQUEST_URL"):
        return GitHubActions(request, environment.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", ""), audience)
    if environment.get("GITLAB_CI"):
        return Undeclared(GITLAB_HINT.format(audience))
    if environment.get("GITHUB_ACTIONS"):
        return Undeclared(GITHUB_HINT.format(audience))
    return Token(None)
