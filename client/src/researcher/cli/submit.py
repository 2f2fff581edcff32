"""The command submit: flags with the names of the API's fields, and those of `runai submit`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from researcher.cli import values
from researcher.cli.fields import SubmitCommand, field_options
from researcher.cli.options import make_client, output_option, server_options
from researcher.cli.output import write_document, write_jobs
from researcher.errors import UsageError
from researcher.models import FIELDS

if TYPE_CHECKING:
    from researcher.client import Client


@click.command("submit", cls=SubmitCommand, context_settings={"allow_interspersed_args": False})
@click.option(
    "-f", "--file", metavar="FILE", help="The Job as JSON or YAML; `-` reads stdin. Flags replace its fields."
)
@field_options
@click.option("--command", "command_line", metavar="TEXT", help="The command as one line; or write it after `--`.")
@click.option(
    "-e", "--environment", multiple=True, metavar="NAME=VALUE", help="A variable; NAME alone takes its value here."
)
@click.option("--env-file", multiple=True, metavar="FILE", help="Variables from a file with NAME=VALUE lines.")
@click.option("--secret", "secrets", multiple=True, metavar="NAME=SECRET/KEY", help="A variable from a Secret.")
@click.option("-l", "--label", "labels", multiple=True, metavar="NAME=VALUE", help="A label, to find the Job again.")
@click.option("--annotation", "annotations", multiple=True, metavar="NAME=VALUE", help="An annotation.")
@click.option("--pvc", multiple=True, metavar="CLAIM:PATH[:ro]", help="Mount a PersistentVolumeClaim.")
@click.option("--existing-pvc", multiple=True, metavar="claimname=..,path=..", help="The same, as Run:ai writes it.")
@click.option("--new-pvc", multiple=True, metavar="size=..,path=..", help="A volume that is deleted with the pod.")
@click.option("--retry-exit-codes", metavar="CODE,CODE", help="Retry only pods that end with one of these exit codes.")
@click.option(
    "--ignore-disruptions", is_flag=True, help="Replace evicted and preempted pods without counting a failure."
)
@click.option("--matrix", multiple=True, metavar="NAME=A,B|0..9", help="A sweep: one index for each combination.")
@click.option("--profile", help="Begin with the fields of this profile in config.toml.")
@click.option("--idempotency-key", metavar="KEY", help="Find the Job of an earlier command with this key.")
@click.option("--dry-run", is_flag=True, help="Submit nothing; print what the cluster would store.")
@click.option("--wait", is_flag=True, help="Wait until the Job has finished, and exit as it did.")
@click.option("--follow", is_flag=True, help="Print the log until the Job has finished, and exit as it did.")
@output_option("name", "table", "json", "yaml")
@server_options
@click.argument("words", metavar="[-- COMMAND...]", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def submit_command(ctx: click.Context, /, **options: Any) -> int:  # noqa: ANN401 - one for each flag
    """Submit a Job, and print its name.

    researcher submit --image nvcr.io/nvidia/pytorch:26.10-py3 --gpu 1 -- python train.py --lr 0.1

    A broken connection never submits the Job twice. A command that needs a shell (`&&`, variables, several lines) is
    one word in quotes. The flags of `runai submit` are understood, too.
    """
    client = make_client(options)
    body = build_body(client, options, ctx.obj)
    if options["dry_run"]:
        write_document(client.preview_body(body), "yaml" if options["output"] == "yaml" else "json")
        return 0
    job = client.submit_body(body, options["idempotency_key"])
    if options["follow"] or options["wait"]:
        from researcher.cli.following import follow_to_end

        return follow_to_end(job, logs=options["follow"])
    write_jobs([job.view], options["output"], single=True)
    return 0


def build_body(client: Client, options: dict[str, Any], refused: dict[str, object]) -> dict[str, Any]:
    """Return the submission: a profile, then the file, then the flags."""
    from researcher.config import read_profile
    from researcher.matrix import parse_matrix

    body: dict[str, Any] = read_profile(options["profile"]) if options["profile"] else {}
    body |= _read_file(options["file"]) if options["file"] else {}
    body |= _simple_fields(options) | _command(options)
    _merge(body, "environment", _environment(options))
    _merge(body, "labels", values.pairs("--label", options["labels"]))
    _merge(body, "annotations", values.pairs("--annotation", options["annotations"]))
    if claims := _claims(options):
        body["pvc"] = [*(body.get("pvc") or []), *claims]
    _merge(body, "retry", _retry(options))
    if options["project"]:
        body["project"] = options["project"]
    body |= refused
    return client.raw_body(body, parse_matrix(options["matrix"]), notice=lambda text: click.echo(text, err=True))


def _simple_fields(options: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in FIELDS.items():
        value = options.get(f"field_{name}")
        if value is not None:
            found[field.member] = value if isinstance(value, bool) else values.field_value(field.member, value)
    return found


def _command(options: dict[str, Any]) -> dict[str, Any]:
    from researcher.shell import from_words

    words: tuple[str, ...] = options["words"]
    if words and options["command_line"]:
        raise UsageError("Write the command after `--` or with --command, not both.")
    if words:
        return {"command": from_words(words)}
    return {"command": options["command_line"]} if options["command_line"] else {}


def _environment(options: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in options["env_file"]:
        found |= values.read_env_file(path)
    return found | values.variables(options["environment"], dict(os.environ)) | values.secrets(options["secrets"])


def _claims(options: dict[str, Any]) -> list[dict[str, Any]]:
    flags = {"--pvc": "pvc", "--existing-pvc": "existing_pvc", "--new-pvc": "new_pvc"}
    return [values.claim(flag, text) for flag, name in flags.items() for text in options[name]]


def _retry(options: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options["retry_exit_codes"]:
        codes = options["retry_exit_codes"].split(",")
        if not all(code.strip().isdigit() for code in codes):
            raise UsageError("--retry-exit-codes must be numbers, separated by commas.")
        found["exitCodes"] = [int(code) for code in codes]
    if options["ignore_disruptions"]:
        found["ignoreDisruptions"] = True
    return found


def _merge(body: dict[str, Any], member: str, added: dict[str, Any]) -> None:
    if added:
        body[member] = {**(body.get(member) or {}), **added}


def _read_file(path: str) -> dict[str, Any]:
    from researcher.submission import parse_document

    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path} cannot be read: {reason}.") from error
    return parse_document(text, "stdin" if path == "-" else path)
