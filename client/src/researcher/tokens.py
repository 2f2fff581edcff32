"""Access tokens: given ones, those of an Application, of a CI service, and those of `researcher login`.

The tokens of a login are in the state directory, one file for each server, which only its owner can read. They are
replaced 60 seconds before they expire, under a lock, so that of several processes one refreshes: an issuer that
rotates refresh tokens revokes all of them if one is used twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from researcher.errors import NotSignedIn, UsageError
from researcher.oauth import OAuthError, get_json, post_form
from researcher.paths import state_directory, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EARLY_SECONDS = 60
DEFAULT_LIFETIME = 300


@dataclass(frozen=True, slots=True)
class Stored:
    """What a login keeps: how to get a token, and the last one."""

    client_id: str
    token_url: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    scope: str = ""
    access_token: str = ""
    expires_at: float = 0.0

    def is_fresh(self, refused: str | None) -> bool:
        """Return whether the access token can be used, and is not the one that the server has refused."""
        return self.access_token not in {"", refused} and self.expires_at - EARLY_SECONDS > time.time()

    def with_tokens(self, answer: dict[str, Any]) -> Stored:
        """Return the state after a response of the token endpoint."""
        lifetime = str(answer.get("expires_in", ""))
        seconds = float(lifetime) if lifetime.isdigit() else DEFAULT_LIFETIME
        return replace(
            self,
            access_token=str(answer["access_token"]),
            expires_at=time.time() + seconds,
            refresh_token=str(answer.get("refresh_token") or self.refresh_token),
        )


class Token(NamedTuple):
    """A token that is given, or none."""

    value: str | None

    def bearer(self, *, refused: str | None = None) -> str | None:
        """Return the token; a refused one cannot be replaced."""
        del refused
        return self.value


class Applications:
    """Tokens for the client ID and secret of an Application; kept in memory only."""

    def __init__(self, url: str, stored: Stored) -> None:
        self._url = url
        self._stored = stored

    def bearer(self, *, refused: str | None = None) -> str:
        """Return a token that is valid now."""
        if not self._stored.is_fresh(refused):
            self._stored = renew(self._stored, self._url)
        return self._stored.access_token


class StoredToken:
    """The tokens of `researcher login` for the server at *url*."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stored: Stored | None = None

    def bearer(self, *, refused: str | None = None) -> str:
        """Return a token that is valid now; raise NotSignedIn if it cannot be renewed."""
        if self._stored is not None and self._stored.is_fresh(refused):
            return self._stored.access_token
        with lock(self._url):
            stored = read_stored(self._url)
            if stored is None:
                raise NotSignedIn("You are signed out. Run `researcher login` again.")
            # Another process may have renewed it already.
            if not stored.is_fresh(refused):
                stored = renew(stored, self._url)
                write_stored(self._url, stored)
        self._stored = stored
        return stored.access_token


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


def renew(stored: Stored, url: str) -> Stored:
    """Request a new access token with the refresh token or the secret."""
    token_url = stored.token_url or _published_token_url(url)
    if stored.client_secret:
        form = {"grant_type": "client_credentials", **({"scope": stored.scope} if stored.scope else {})}
        basic: tuple[str, str] | None = (stored.client_id, stored.client_secret)
    elif stored.refresh_token:
        form = {"grant_type": "refresh_token", "refresh_token": stored.refresh_token, "client_id": stored.client_id}
        basic = None
    else:
        raise NotSignedIn("Your sign-in has expired. Run `researcher login` again.")
    try:
        return stored.with_tokens(post_form(token_url, form, basic))
    except OAuthError as error:
        raise NotSignedIn(f"The token issuer refused the sign-in: {error}. Run `researcher login` again.") from error


def read_stored(url: str) -> Stored | None:
    """Return what the login to the server at *url* keeps; None without one."""
    path = _file(url, "json")
    try:
        return Stored(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise NotSignedIn(f"{path} cannot be read. Run `researcher login` again.") from error


def write_stored(url: str, stored: Stored) -> None:
    """Keep the tokens for the server at *url*."""
    write_private(_file(url, "json"), json.dumps(asdict(stored)) + "\n")


def delete_stored(url: str) -> bool:
    """Delete the tokens for the server at *url*; return whether there were any."""
    with lock(url):
        path = _file(url, "json")
        found = path.exists()
        path.unlink(missing_ok=True)
    return found


@contextmanager
def lock(url: str) -> Iterator[None]:
    """Hold the lock of the tokens for the server at *url*."""
    path = _file(url, "lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        if os.name == "posix":
            import fcntl  # noqa: PLC0415 - only there

            fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
        yield


def _file(url: str, suffix: str) -> Path:
    digest = hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:32]
    return state_directory() / "tokens" / f"{digest}.{suffix}"


def _published_token_url(url: str) -> str:
    # Imported here: transport imports nothing of this module, but only this function needs it.
    from researcher.capabilities import Capabilities  # noqa: PLC0415
    from researcher.transport import Transport  # noqa: PLC0415

    found = Capabilities(Transport(url, Token(None))).token_url
    if not found:
        raise UsageError("The API does not publish a token endpoint: set RESEARCHER_TOKEN_URL.")
    return found
