"""Access tokens: given ones, those of an Application, and those of `researcher login`.

The tokens of a login are replaced 60 seconds before they expire, under a lock, so that of several processes one
refreshes: an issuer that rotates refresh tokens revokes all of them if one is used twice.
"""

from __future__ import annotations

from typing import NamedTuple

from researcher.errors import NotSignedIn, UsageError
from researcher.oauth import OAuthError, post_form
from researcher.token_store import Stored, lock, read_stored, write_stored


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


def _published_token_url(url: str) -> str:
    # Imported here: transport imports nothing of this module, but only this function needs it.
    from researcher.capabilities import Capabilities  # noqa: PLC0415
    from researcher.transport import Transport  # noqa: PLC0415

    found = Capabilities(Transport(url, Token(None))).token_url
    if not found:
        raise UsageError("The API does not publish a token endpoint: set RESEARCHER_TOKEN_URL.")
    return found
