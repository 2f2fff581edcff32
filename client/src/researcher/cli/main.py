"""The group of all commands, and the exit codes for errors."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from researcher.errors import ApiError, JobFailed, ResearcherError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "login": ("login", "Sign in to a server, and make it the current context."),
    "logout": ("session", "Delete the tokens of a server from this machine."),
    "whoami": ("session", "Show the server and the Projects that you may use."),
    "context": ("session", "List the contexts, or choose one."),
    "version": ("session", "Compare the versions of this client and the server."),
    "submit": ("submit", "Submit a Job, and print its name."),
    "list": ("jobs", "List the Jobs of the Project."),
    "get": ("jobs", "Show Jobs."),
    "events": ("jobs", "Show what the cluster recorded about a Job."),
    "why": ("jobs", "Explain why a Job is where it is, and what to do."),
    "logs": ("logs", "Print the logs of Jobs, or follow them."),
    "wait": ("waiting", "Wait until Jobs have finished, and exit as they did."),
    "delete": ("changes", "Delete Jobs."),
    "suspend": ("changes", "Suspend Jobs: their pods end, and their GPUs are free."),
    "resume": ("changes", "Resume suspended Jobs."),
    "retry": ("changes", "Run the failed indexes of an Indexed Job again, as a new Job."),
    "clone": ("changes", "Submit a Job again, with changes."),
    "keep": ("changes", "Exempt Jobs from the cleanup of finished Jobs."),
    "project": ("projects", "Show a Project: its quota, its Jobs, and what you may do there."),
}
"""The module of each command, and its line in `researcher --help`; `clone` is imported when it is called."""
INTERRUPTED = 130
USAGE = 64


class Commands(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a day's work."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"researcher.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest a command for one that does not exist."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {close[0]}?" if close else " `researcher --help` lists the commands."
            raise click.UsageError(f"There is no command {args[0]}.{hint}", ctx)
        return super().resolve_command(ctx, args)


EPILOG = """\
Exit codes: 0 success; the container's own for a Job that failed (submit --wait, submit --follow, wait, logs -f);
64 the request is not valid; 66 the Job does not exist; 69 the server or the network is not available; 77 not signed in
or not allowed; 124 the time limit has passed; 130 interrupted.
"""


@click.command("researcher", cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Submit GPU Jobs to your cluster, watch them, and read their logs.

    Begin with `researcher login URL`, then `researcher submit --image IMAGE --gpu 1 -- python train.py`.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code."""
    try:
        result = cli.main(args=arguments, prog_name="researcher", standalone_mode=False, color=use_colour())
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE if isinstance(error, click.UsageError) else error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has ended.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ResearcherError as error:
        report(error)
        return error.exit_code
    return result if isinstance(result, int) else 0


def use_colour() -> bool | None:
    """Return False if NO_COLOR is set; otherwise terminals have colours."""
    return False if os.environ.get("NO_COLOR") else None


def report(error: ResearcherError) -> None:
    """Write an error to stderr."""
    lines = str(error).splitlines() or [type(error).__name__]
    if isinstance(error, JobFailed) and error.log_tail:
        lines += ["The end of its log:", *(f"  {line}" for line in error.log_tail.splitlines())]
    if isinstance(error, ApiError) and error.request_id:
        lines.append(f"(request {error.request_id})")
    for number, line in enumerate(lines):
        head = click.style("Error: ", fg="red") if number == 0 else "       "
        click.echo(head + line, err=True, color=use_colour())
