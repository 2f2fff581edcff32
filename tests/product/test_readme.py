"""The README is correct: each of its commands is run, and its tables are compared with the code."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import fields

import app
from chalicelib.domain.submission.model import Submission
from chalicelib.domain.submission.unsupported_fields import UNSUPPORTED_FIELDS
from chalicelib.settings import Settings
from tests.support.eventually import eventually
from tests.support.readme_walk import README, Step, clone_into, paste_all, recipes, steps, surprises

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADDED_FIELDS = {
    "labels",
    "annotations",
    "maxRuntimeSeconds",
    "queue",
    "indexed",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
    "nodes",
    "retry",
}

NOTEBOOK = """
import ast, asyncio, inspect
names = {}
def run(cell):
    code = compile(cell, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    found = eval(code, names)
    if inspect.isawaitable(found):
        asyncio.run(found)
"""
"""A minimal notebook kernel: cells share their names, and may await."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the files under version control, with this environment."""
    folder = tmp_path_factory.mktemp("clone")
    clone_into(folder)
    return folder


def start_server(command: list[str], folder: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a server whose output goes to a file, and return it when it is ready."""
    log = folder / f"{len(list(folder.glob('*.log')))}.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stdout=output, text=True)

    def is_ready() -> bool:
        assert process.poll() is None
        return "Press Ctrl-C to stop" in log.read_text(encoding="utf-8")

    eventually(is_ready)
    return process


@pytest.fixture(scope="module")
def server(clone: Path) -> Iterator[Path]:
    """Return the clone, with `make run` in the background."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = start_server(["make", "run"], clone, PORT=str(port))
    yield clone
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def outputs(server: Path) -> list[str]:
    """Return the output of each block."""
    return paste_all(server)


@pytest.mark.walk
class TestWalk:
    """The commands of the README, run in one shell."""

    @pytest.mark.parametrize(("number", "step"), list(enumerate(steps())), ids=str)
    def test_output_is_as_documented(self, outputs: list[str], number: int, step: Step) -> None:
        """The output of each block contains the documents below it; it may have more fields."""
        assert surprises(step, outputs[number]) == []

    def test_logs_are_as_documented(self, outputs: list[str]) -> None:
        """The output contains the logs that the README shows as text."""
        documented = re.findall(r"```text\n(.*?)```", README, re.DOTALL)

        assert documented
        assert [output for output in outputs if output in documented] == documented

    def test_writes_the_manifests_of_a_project(self, outputs: list[str], server: Path) -> None:
        """The file for kubectl contains the namespace of the Project."""
        del outputs
        assert "name: researcher-team-c" in (server / ".local" / "team-c.yaml").read_text(encoding="utf-8")

    def test_session_file_is_private(self, server: Path) -> None:
        """Only the owner may read the session file, because it holds secrets."""
        assert (server / ".local" / "session.env").stat().st_mode & 0o077 == 0


@pytest.mark.walk
class TestRecipes:
    """The recipes in Python."""

    def test_print_the_log(self, server: Path) -> None:
        """The recipes run as cells of one notebook, in which cells may await."""
        cells = "".join(f"run({cell!r})\n" for cell in recipes())
        script = f"set -a; source .local/session.env; exec .venv/bin/python -c {shlex.quote(NOTEBOOK + cells)}"

        result = subprocess.run(["bash", "-euc", script], cwd=server, check=True, capture_output=True, text=True)

        printed = result.stdout.splitlines()
        assert [line for line in printed if line in {"Succeeded", "epoch 3 of 3: loss 0.333"}] == [
            "Succeeded", "epoch 3 of 3: loss 0.333"
        ] * 2  # fmt: skip

    @pytest.mark.parametrize("recipe", recipes())
    def test_are_short(self, recipe: str) -> None:
        """A recipe has fewer than 10 lines."""
        assert len([line for line in recipe.splitlines() if line]) < 10


@pytest.mark.walk
class TestRun:
    """`make run`."""

    def test_port_in_use(self, clone: Path) -> None:
        """A port in use is an error with a message that says what to do, without a traceback."""
        with socket.create_server(("127.0.0.1", 0)) as accepted:
            port = str(accepted.getsockname()[1])
            result = subprocess.run(
                ["make", "run"], cwd=clone, env=os.environ | {"PORT": port}, check=False, capture_output=True, text=True
            )

        assert result.returncode != 0
        assert f"Port {port} is taken" in result.stderr
        assert "Traceback" not in result.stderr

    def test_invalid_port(self, clone: Path) -> None:
        """An invalid port is an error with a message, without a traceback."""
        result = subprocess.run(
            ["make", "run"], cwd=clone, env=os.environ | {"PORT": "99999"}, check=False, capture_output=True, text=True
        )

        assert "a port is a number below 65536" in result.stderr
        assert "Traceback" not in result.stderr

    def test_interrupt_stops_everything(self, clone: Path) -> None:
        """Ctrl-C stops the servers without an error, and deletes their session file, but not that of a later run."""
        session = clone / ".local" / "session.env"
        first = start_server([".venv/bin/python", "-m", "infra.local", "--port", "0"], clone)
        second = start_server([".venv/bin/python", "-m", "infra.local", "--port", "0"], clone)

        first.send_signal(signal.SIGINT)
        assert (first.wait(), session.exists()) == (0, True)
        second.send_signal(signal.SIGINT)
        assert (second.wait(), session.exists()) == (0, False)


class TestTables:
    """The tables of the README, compared with the code."""

    def test_endpoints(self) -> None:
        """Every route has a row, and every row a route."""
        routes = {entry.view_name for methods in app.app.routes.values() for entry in methods.values()}

        rows = re.findall(r"^\| `(\w+)` \| `(?:GET|POST|PUT|DELETE)", README, re.MULTILINE)
        assert set(rows) == routes - {"docs_asset"}

    def test_settings(self) -> None:
        """Every setting has a row with its default."""
        rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? ?\|", README, re.MULTILINE))
        settings = {field.name.upper(): field.default for field in fields(Settings)}
        defaults = {
            name: str(default) if isinstance(default, (str, int, float)) else "" for name, default in settings.items()
        }

        assert rows == {**defaults, "CORS_ORIGIN": "", "ENDPOINT": ""}

    def test_fields_of_a_job(self) -> None:
        """Every accepted field is in the table of Run:ai's fields or in that of the added fields."""
        table = README.partition("| Run:ai's field | here |")[2].partition("Refused, with the reason")[0]
        rows, _, added = table.partition("| added field | here |")
        named = {
            name for row in re.findall(r"^\| (.*?) \|", rows, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
        }
        accepted = {field.alias for field in Submission.model_fields.values()}

        assert set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", added, re.MULTILINE)))) == ADDED_FIELDS
        assert named | ADDED_FIELDS == accepted

    def test_unsupported_fields(self) -> None:
        """Every unsupported field has a row with the reason."""
        table = README.partition("| field | reason |")[2].partition("\n## ")[0]

        assert dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", table, re.MULTILINE)) == UNSUPPORTED_FIELDS


def test_no_command_needs_the_network() -> None:
    """The commands for newcomers access only this machine."""
    hosts = [host for step in steps() for host in re.findall(r"https?://[^\s\"]+", step.commands)]

    assert hosts == []
