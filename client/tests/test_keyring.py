"""Tokens in the keyring of the operating system, with a keyring that holds them in memory."""

from __future__ import annotations

import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from researcher import NotSignedIn, UsageError
from researcher.token_store import Stored, delete_stored, read_stored, write_stored
from researcher.tokens import StoredToken

if TYPE_CHECKING:
    from pathlib import Path

    from token_issuer import Issuer

URL = "https://api.example.com"


class Keyring(ModuleType):
    """The functions of the package keyring; locked, each of them raises."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret."""
        self._check()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret."""
        self._check()
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Delete a secret, which must exist."""
        self._check()
        del self.entries[service, username]

    def _check(self) -> None:
        if self.locked:
            raise RuntimeError("secret-of-the-backend")


@pytest.fixture
def keyring(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Keyring:
    """Install a keyring, and choose it in config.toml."""
    choose(folder, "true")
    installed = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", installed)
    return installed


def choose(folder: Path, value: str) -> None:
    """Write config.toml."""
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / "config.toml").write_text(f"keyring = {value}\n", "utf-8")


def files(folder: Path) -> list[str]:
    """Return the content of all files below the state directory."""
    return [path.read_text("utf-8") for path in (folder / "state").rglob("*") if path.is_file()]


def test_no_file_has_a_token(keyring: Keyring, folder: Path, issuer: Issuer) -> None:
    """Tokens are kept, renewed and deleted in the keyring; the file of an earlier login goes away."""
    choose(folder, "false")
    write_stored(URL, Stored("c", f"{issuer.url}/token", "", "refresh-1", "", "old", 0.0))
    assert any("refresh-1" in each for each in files(folder))
    choose(folder, "true")
    assert read_stored(URL) is None

    write_stored(URL, Stored("c", f"{issuer.url}/token", "", "refresh-1", "", "old", 0.0))
    assert StoredToken(URL).bearer() == "token-1"
    kept = read_stored(f"{URL}/")
    assert kept is not None
    assert (kept.access_token, kept.refresh_token) == ("token-1", "refresh-2")
    assert list(keyring.entries) == [("researcher", URL)]
    assert not any(files(folder))

    assert delete_stored(URL)
    assert not delete_stored(URL)
    assert keyring.entries == {}


def test_a_logout_after_the_setting(keyring: Keyring, folder: Path) -> None:
    """A logout deletes the file of a login before the setting, too."""
    choose(folder, "false")
    write_stored(URL, Stored("c", access_token="t", expires_at=time.time() + 600))
    choose(folder, "true")

    assert delete_stored(URL)
    assert not any(files(folder))
    assert keyring.entries == {}


def test_a_locked_keyring(keyring: Keyring, folder: Path) -> None:
    """A keyring that refuses is one sentence with what to do; the tokens do not go to a file."""
    keyring.locked = True

    for act in (lambda: write_stored(URL, Stored("c")), lambda: read_stored(URL), lambda: delete_stored(URL)):
        with pytest.raises(UsageError, match=r"unlock it.*config\.toml") as caught:
            act()
        assert "secret-of-the-backend" not in str(caught.value)
    assert not any(files(folder))


def test_a_damaged_entry(keyring: Keyring) -> None:
    """An entry that another program has changed says how to sign in again."""
    keyring.entries["researcher", URL] = "[]"

    with pytest.raises(NotSignedIn, match=r"keyring cannot be read.*researcher login"):
        read_stored(URL)


def test_without_the_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting without the extra says how to install it, and writes no file."""
    choose(folder, "true")
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(UsageError, match=r"client\[keyring\]"):
        write_stored(URL, Stored("c"))
    assert not (folder / "state").exists()


def test_a_setting_that_is_not_a_boolean(folder: Path) -> None:
    """`keyring = "no"` chooses nothing by chance."""
    choose(folder, '"no"')

    with pytest.raises(UsageError, match="true or false"):
        read_stored(URL)
