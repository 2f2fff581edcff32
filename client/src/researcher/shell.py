"""Commands that only a shell can run, and how they are sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from researcher.capabilities import Capabilities

_OPERATOR = re.compile(r"[&|;<>\n]")
_EXPANSION = re.compile(r"`|\$[A-Za-z_0-9({?!#@*$]")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_BUILTIN = re.compile(r"(cd|export|source|\.|set|ulimit|umask|exec|eval|if|for|while)(\s|$)")


def needs_shell(command: str) -> bool:
    """Return whether *command* has several lines, operators, variables, or a builtin of the shell as its program."""
    text = command.replace("\\\n", " ").strip()
    characters = list(_scan(text))
    unquoted = "".join("_" if quote else character for character, quote in characters)
    expanded = "".join(character if quote in {"", '"'} else "_" for character, quote in characters)
    return bool(_OPERATOR.search(unquoted) or _EXPANSION.search(expanded) or _starts(unquoted))


def _starts(text: str) -> bool:
    return bool(_ASSIGNMENT.match(text) or _BUILTIN.match(text))


def with_shell(fields: Mapping[str, Any], capabilities: Capabilities) -> dict[str, Any]:
    """Return the members of a submission with its command or script as this server takes them."""
    found = dict(fields)
    if found.get("command") is not None:
        found |= as_fields(found.pop("command"), capabilities)
    elif isinstance(found.get("script"), str) and not capabilities.has_field("script"):
        found["command"] = ["/bin/sh", "-ec", found.pop("script")]
    return found


def as_fields(command: Sequence[str] | str, capabilities: Capabilities) -> dict[str, Any]:
    """Return the members of a submission for *command*.

    A command that needs a shell is sent as `script`; a server that does not have this field gets `/bin/sh -ec`.
    """
    if not isinstance(command, str):
        return {"command": list(command)}
    if not needs_shell(command):
        return {"command": command}
    if capabilities.has_field("script"):
        return {"script": command}
    return {"command": ["/bin/sh", "-ec", command]}


def from_words(words: Sequence[str]) -> list[str] | str:
    """Return the command of the words after `--`: one word with spaces is a command line."""
    if len(words) == 1 and re.search(r"\s", words[0].strip()):
        return words[0]
    return list(words)


def _scan(text: str) -> Iterator[tuple[str, str]]:
    """Yield each character with what quotes it: `'`, `"`, a backslash, or nothing."""
    quote = ""
    escaped = False
    for character in text:
        if escaped:
            escaped = False
            yield character, "\\"
        elif character == "\\" and quote != "'":
            escaped = True
            yield character, "\\"
        elif character == quote:
            quote = ""
            yield character, "\\"
        elif not quote and character in "'\"":
            quote = character
            yield character, "\\"
        else:
            yield character, quote
