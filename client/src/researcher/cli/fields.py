"""The flags of submit that have the names of the API's fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from researcher.cli.runai import translate
from researcher.models import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

SPECIAL = {"project", "command", "arguments", "environment", "labels", "annotations", "pvc", "retry", "script"}
"""Fields whose flags are written out below."""
SHORT = {"image": "-i"}
SWITCHES = {"bool"}
TEXT_FLAGS = (
    "--command", "--environment", "--secret", "--env-file", "--label", "--annotation", "--pvc", "--existing-pvc",
    "--new-pvc", "--retry-exit-codes", "--matrix", "--profile", "--file", "--idempotency-key", "--output", "--project",
    "--context", "-f", "-o", "-p", "-c", "-i", "-l",
)  # fmt: skip


def flag_of(member: str) -> str:
    """Return the flag of a field: `workingDir` is `--working-dir`."""
    return "--" + "".join(f"-{each.lower()}" if each.isupper() else each for each in member)


class SubmitCommand(click.Command):
    """The command with one flag for each field, and Run:ai's flags translated."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Translate the arguments, and keep the fields of flags that cannot be honoured."""
        names = {flag_of(field.member): field.kind in SWITCHES for name, field in FIELDS.items() if name not in SPECIAL}
        switches = frozenset(name for name, is_switch in names.items() if is_switch)
        valued = frozenset({*TEXT_FLAGS, *(name for name, is_switch in names.items() if not is_switch)})
        camel = {f"--{field.member}": flag_of(field.member) for field in FIELDS.values()}
        spelled = [_respell(word, camel) for word in args]
        translated = translate(spelled, switches, valued)
        ctx.obj = translated.refused
        return super().parse_args(ctx, translated.arguments)


def _respell(word: str, camel: dict[str, str]) -> str:
    flag, equals, value = word.partition("=")
    return f"{camel.get(flag, flag)}{equals}{value}"


def field_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add a flag for each field that has a simple value."""
    for name, field in reversed(FIELDS.items()):
        if name in SPECIAL:
            continue
        flags = [*([SHORT[name]] if name in SHORT else []), flag_of(field.member), f"field_{name}"]
        if field.kind in SWITCHES:
            command = click.option(*flags, is_flag=True, default=None, help=field.description)(command)
        else:
            metavar = "|".join(field.choices) if field.choices else METAVARS.get(field.kind, "TEXT")
            command = click.option(*flags, metavar=metavar, help=field.description)(command)
    return command


METAVARS = {"int": "NUMBER", "float": "NUMBER", "Duration": "3600|3h"}
