"""Where the client keeps its files: configuration that people edit, and state (tokens) that only it reads."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def config_directory() -> Path:
    """Return the directory of `config.toml` and the contexts."""
    return _directory("RESEARCHER_CONFIG_DIR", "XDG_CONFIG_HOME", "APPDATA", ".config")


def state_directory() -> Path:
    """Return the directory of the tokens."""
    return _directory("RESEARCHER_STATE_DIR", "XDG_STATE_HOME", "LOCALAPPDATA", ".local/state")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; a reader sees the old or the new content, never a part."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The file is created with mode 0600.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _directory(own: str, xdg: str, windows: str, fallback: str) -> Path:
    if chosen := os.environ.get(own):
        return Path(chosen)
    base = os.environ.get(windows) if os.name == "nt" else os.environ.get(xdg)
    return (Path(base) if base else Path.home() / fallback) / "researcher"
