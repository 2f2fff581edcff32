"""The file of a session of `make run`: the variables that the commands of the documentation use."""

from __future__ import annotations

import os
import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple, Self

SESSION = Path(".local/session.env")
SECONDS = 2.0
MOMENT_SECONDS = 0.2


class SessionFile(NamedTuple):
    """A file that only its owner may read, because it contains secrets, and its text."""

    path: Path
    text: str

    @classmethod
    def write(cls, session: dict[str, str]) -> Self:
        """Write .local/session.env, or .local/session-<port>.env if the API of another session uses the first one.

        The file is complete when it appears under its name.
        """
        path = SESSION
        if _is_in_use(path):
            path = SESSION.parent / f"session-{session['BASE_URL'].rpartition(':')[2].partition('/')[0]}.env"
        file = cls(path, "".join(f"export {name}={value}\n" for name, value in session.items()))
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.touch(mode=0o600)
        temporary.write_text(file.text, encoding="utf-8")
        temporary.replace(path)
        return file

    def remove(self) -> None:
        """Delete the file, unless another session has replaced it."""
        if self.path.exists() and self.path.read_text(encoding="utf-8") == self.text:
            self.path.unlink()


def _is_in_use(path: Path) -> bool:
    """Return whether *path* is the file of a session whose API responds; that of a killed one can be replaced."""
    match = (
        re.search(r"^export BASE_URL=(http://127\.0\.0\.1:\d+/\S*)$", path.read_text("utf-8"), re.MULTILINE)
        if path.exists()
        else None
    )
    if match is None:
        return False
    if _responds(match[1]):
        return True
    if time.time() - path.stat().st_mtime > SECONDS:
        return False
    time.sleep(MOMENT_SECONDS)  # a session that starts writes its file, and then opens its port
    return _responds(match[1])


def _responds(base_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base_url}/health", timeout=SECONDS):  # nosec B310 # noqa: S310 - loopback only
            return True
    except (OSError, urllib.error.URLError):
        return False
