"""Values of flags: what a person types becomes what the API takes, by the kind of the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from researcher.errors import UsageError
from researcher.models import FIELDS

MEMBERS = {field.member: field for field in FIELDS.values()}


def field_value(member: str, text: str) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON value of a field for *text*: text stays text where the field is one."""
    kind = MEMBERS[member].kind if member in MEMBERS else ""
    if text == "null":
        return None
    if kind in {"str", "Duration", "Command"} or (MEMBERS.get(member) and MEMBERS[member].choices):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def pairs(option: str, values: tuple[str, ...]) -> dict[str, str]:
    """Return the names and values of `--label a=b`."""
    found: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            raise UsageError(f"{option} {name or value} must be NAME=VALUE.")
        found[name] = text
    return found


def variables(values: tuple[str, ...], environment: dict[str, str]) -> dict[str, str]:
    """Return environment variables; NAME alone takes the value of this process."""
    found: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals and name not in environment:
            raise UsageError(f"--environment {name}: there is no such variable here; write {name}=VALUE.")
        found[name] = text if equals else environment[name]
    return found


def secrets(values: tuple[str, ...]) -> dict[str, Any]:
    """Return variables from Secrets: `--secret HF_TOKEN=hugging-face/token`."""
    found: dict[str, Any] = {}
    for value in values:
        name, equals, reference = value.partition("=")
        secret, slash, key = reference.partition("/")
        if not (equals and slash and name and secret and key):
            raise UsageError("--secret must be NAME=SECRET/KEY: the variable, the Secret, and the key in it.")
        found[name] = {"secret": {"name": secret, "key": key}}
    return found


def read_env_file(path: str) -> dict[str, str]:
    """Return the variables of a file with one NAME=VALUE on a line, as Docker reads it."""
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path} cannot be read: {reason}.") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{path}, line {number}: write NAME=VALUE.")
        found[name.strip()] = _unquoted(value.strip())
    return found


def claim(option: str, text: str) -> dict[str, Any]:
    """Return a volume: `--pvc data:/data:ro`, or `claimname=data,path=/data` and `size=100Gi,path=/scratch`."""
    if "=" in text:
        return _claim_of_pairs(option, text)
    name, _, rest = text.partition(":")
    path, _, mode = rest.partition(":")
    if not name or not path or mode not in {"", "ro", "rw"}:
        raise UsageError(f"{option} {text} must be CLAIM:PATH or CLAIM:PATH:ro.")
    return {"name": name, "path": path, **({"readOnly": True} if mode == "ro" else {})}


_CLAIM_KEYS = {
    "claimname": "name", "name": "name", "path": "path", "size": "size", "storageclass": "storageClass",
    "readonly": "readOnly", "ro": "readOnly",
}  # fmt: skip


def _claim_of_pairs(option: str, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        member = _CLAIM_KEYS.get(key.strip().lower())
        if member is None:
            raise UsageError(f"{option}: {key.strip()} is not supported; use name, path, size, storageclass, readonly.")
        found[member] = value.strip().lower() != "false" if member == "readOnly" else value.strip()
        if member != "readOnly" and not equals:
            raise UsageError(f"{option}: {key.strip()} needs a value.")
    if "path" not in found:
        raise UsageError(f"{option} {text} needs path=PATH.")
    if option == "--new-pvc":
        found.pop("name", None)  # a volume that is deleted with the pod has no name
    return found


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text
