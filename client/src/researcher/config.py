"""The contexts of `researcher login` (contexts.json) and the user's own settings (config.toml).

A context is a server, and the Project that commands use without `-p`. config.toml is only read:

    project = "team-a"                 # for contexts without a Project
    keyring = true                     # tokens in the keyring, not in files; needs the extra `keyring`

    [profiles.big]                     # `submit --profile big`: members of the submission
    gpu = 8
    memory = "512Gi"
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from researcher.errors import UsageError
from researcher.paths import config_directory, write_private

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Context:
    """A server, how the client signs in there, and the Project of its commands."""

    url: str
    issuer: str = ""
    client_id: str = ""
    project: str = ""


@dataclass(slots=True)
class Contexts:
    """The contexts by name, and the current one."""

    current: str = ""
    contexts: dict[str, Context] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Contexts:
        """Read the file; without it there are no contexts."""
        path = _contexts_file()
        if not path.exists():
            return cls()
        try:
            document = json.loads(path.read_text("utf-8"))
            contexts = {name: Context(**each) for name, each in document["contexts"].items()}
            return cls(str(document["current"]), contexts)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{path} cannot be read. Delete it, and run `researcher login` again.") from error

    def write(self) -> None:
        """Write the file."""
        contexts = {name: asdict(each) for name, each in self.contexts.items()}
        text = json.dumps({"current": self.current, "contexts": contexts}, indent=2)
        write_private(_contexts_file(), text + "\n")

    def get(self, name: str) -> Context:
        """Return the context of this name."""
        if name not in self.contexts:
            known = ", ".join(sorted(self.contexts)) or "none: run `researcher login URL`"
            raise UsageError(f"There is no context {name}. The contexts are: {known}.")
        return self.contexts[name]


def read_settings() -> dict[str, Any]:
    """Return the content of config.toml; empty if it does not exist."""
    path = config_directory() / "config.toml"
    if not path.exists():
        return {}
    # Imported here because most users have no such file.
    import tomllib  # noqa: PLC0415

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not valid: {error}.") from error


def read_profile(name: str) -> dict[str, Any]:
    """Return the members of a submission that a profile sets."""
    profiles = read_settings().get("profiles", {})
    profile = profiles.get(name) if isinstance(profiles, dict) else None
    if not isinstance(profile, dict):
        known = ", ".join(sorted(profiles)) if isinstance(profiles, dict) and profiles else "none"
        raise UsageError(f"config.toml has no table profiles.{name}. Its profiles are: {known}.")
    return profile


def _contexts_file() -> Path:
    return config_directory() / "contexts.json"
