"""What a login keeps: the tokens of each server, in files of mode 0600 or in the keyring of the operating system.

The files are in the state directory. With `keyring = true` in config.toml, the tokens are in the keyring, and no file
has them; nothing falls back to files, because the user asked that no file has a token.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from researcher.config import read_settings
from researcher.errors import NotSignedIn, UsageError
from researcher.paths import state_directory, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EARLY_SECONDS = 60
DEFAULT_LIFETIME = 300
SERVICE = "researcher"
"""The name of this program in the keyring; the user name of an entry is the URL of the server."""


@dataclass(frozen=True, slots=True)
class Stored:
    """How to get a token for a server, and the last one."""

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


class Keyring(Protocol):
    """What is used of the package keyring."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret; None if there is none."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret."""

    def delete_password(self, service: str, username: str) -> None:
        """Delete a secret."""


def read_stored(url: str) -> Stored | None:
    """Return what the login to the server at *url* keeps; None without one."""
    where = "The entry of the keyring" if uses_keyring() else str(_file(url, "json"))
    try:
        text = _read(url)
        return None if text is None else Stored(**json.loads(text))
    except (OSError, ValueError, TypeError) as error:
        raise NotSignedIn(f"{where} cannot be read. Run `researcher login` again.") from error


def write_stored(url: str, stored: Stored) -> None:
    """Keep the tokens for the server at *url*."""
    text = json.dumps(asdict(stored))
    if not uses_keyring():
        write_private(_file(url, "json"), text + "\n")
        return
    with _keyring() as keyring:
        keyring.set_password(SERVICE, _name(url), text)
    _file(url, "json").unlink(missing_ok=True)  # of a login before the setting


def delete_stored(url: str) -> bool:
    """Delete the tokens for the server at *url*; return whether there were any."""
    with lock(url):
        path = _file(url, "json")
        found = path.exists()
        path.unlink(missing_ok=True)
        if uses_keyring():
            with _keyring() as keyring:
                if keyring.get_password(SERVICE, _name(url)) is not None:
                    keyring.delete_password(SERVICE, _name(url))
                    found = True
    return found


def uses_keyring() -> bool:
    """Return whether config.toml says `keyring = true`."""
    chosen = read_settings().get("keyring", False)
    if not isinstance(chosen, bool):
        raise UsageError("keyring in config.toml must be true or false.")
    return chosen


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


def _read(url: str) -> str | None:
    if uses_keyring():
        with _keyring() as keyring:
            return keyring.get_password(SERVICE, _name(url))
    try:
        return _file(url, "json").read_text("utf-8")
    except FileNotFoundError:
        return None


@contextmanager
def _keyring() -> Iterator[Keyring]:
    """Yield the keyring; raise UsageError if it is not there, or refuses."""
    # Imported here because few users have it, and by name because it is an extra.
    try:
        keyring = cast("Keyring", importlib.import_module("keyring"))
    except ImportError as error:
        raise UsageError(
            "config.toml says `keyring = true`, but the package keyring is not installed: "
            "run `uv tool install './client[keyring]'`, or remove that line."
        ) from error
    try:
        yield keyring
    except Exception as error:  # each backend raises errors of its own
        raise UsageError(
            f"The keyring of this machine cannot be used ({type(error).__name__}): "
            "unlock it, or remove `keyring = true` from config.toml and sign in again."
        ) from error


def _name(url: str) -> str:
    return url.rstrip("/")


def _file(url: str, suffix: str) -> Path:
    digest = hashlib.sha256(_name(url).encode()).hexdigest()[:32]
    return state_directory() / "tokens" / f"{digest}.{suffix}"
