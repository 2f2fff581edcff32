"""The script of a Job: bash or sh runs it as one argument, so that it reaches the shell as it is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, StringConstraints, ValidationInfo

from chalicelib.domain.submission.command_line import escape_expansions

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SCRIPT = 32_000
"""Characters: in UTF-8 at most 128,000 bytes, which is below Linux' limit of 131,072 for one argument."""
_FIRST_LINE = re.compile(
    r"#![ \t]*(/usr/bin/env[ \t]+)?(/[^ \t\n]*/)?(?P<shell>bash|sh)(?P<options>[ \t][^\n]*)?(\n|$)"
)


def _check_script(script: str, info: ValidationInfo) -> str:
    if info.data.get("command"):
        raise ValueError("must not be combined with command: remove one of them")
    if not script.strip():
        raise ValueError("must have a command")
    if "\r" in script:
        raise ValueError("must not have carriage returns: save it with line endings of LF, not CRLF")
    if script[0] in "-+":
        raise ValueError("must not begin with - or +, which the shell reads as an option")
    if script.startswith("#!"):
        _check_first_line(script)
    return script


def _check_first_line(script: str) -> None:
    """Raise ValueError if the kernel would run another program, or other options, than the API."""
    line = _FIRST_LINE.match(script)
    if line is None:
        raise ValueError("must be for bash or sh, not for the program in its #! line; run that program in the script")
    if (line["options"] or "").strip() not in {"", "-e"}:
        raise ValueError("must not have options in its #! line, which is not read: use set, such as set -x")


def _check_shell(shell: str, info: ValidationInfo) -> str:
    script = info.data.get("script")
    if shell == "sh" and "script" in info.data and not script:
        raise ValueError("requires script")
    if shell == "sh" and script and (line := _FIRST_LINE.match(script)) and line["shell"] == "bash":
        raise ValueError("must be bash, as in the #! line of script")
    return shell


Script = Annotated[
    str, StringConstraints(pattern=r"^[^\x00]*$", min_length=1, max_length=MAX_SCRIPT), AfterValidator(_check_script)
]
Shell = Annotated[Literal["bash", "sh"], AfterValidator(_check_shell)]


def shell_command(shell: str, script: str) -> list[str]:
    """Return the command that runs *script* and ends it with the first command that fails."""
    return [f"/bin/{shell}", "-ec", escape_expansions(script)]


def shell_arguments(arguments: Sequence[str]) -> list[str]:
    """Return *arguments* as `$1`, `$2` and so on of the script: the shell takes the first one as its own name, `$0`."""
    return ["script", *arguments] if arguments else []
