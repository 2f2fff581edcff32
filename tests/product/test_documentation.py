"""The README keeps its word: every command in it is run, and its tables are those of the code."""

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
from tests.support.readme_walk import README, Step, clone_into, pasted, recipes, steps, surprises

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OURS = {
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
"""A notebook's kernel: cells share their names, and may await."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is in version control, with this environment."""
    folder = tmp_path_factory.mktemp("clone")
    clone_into(folder)
    return folder


def started(command: list[str], folder: Path, **environment: str) -> subprocess.Popen[str]:
    """A server that has said that it answers; what it logs goes to a file."""
    log = folder / f"{len(list(folder.glob('*.log')))}.log"
    with log.open("w", encoding="utf-8") as output:
        server = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stdout=output, text=True)

    def answers() -> bool:
        assert server.poll() is None
        return "Ctrl-C ends it" in log.read_text(encoding="utf-8")

    eventually(answers)
    return server


@pytest.fixture(scope="module")
def running(clone: Path) -> Iterator[Path]:
    """The clone with `make run` in another terminal."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = started(["make", "run"], clone, PORT=str(port))
    yield clone
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def answers(running: Path) -> list[str]:
    """What each block answered."""
    return pasted(running)


@pytest.mark.walk
class TestWalk:
    """The commands of the README, pasted one after the other."""

    @pytest.mark.parametrize(("number", "step"), list(enumerate(steps())), ids=str)
    def test_answers_what_is_shown(self, answers: list[str], number: int, step: Step) -> None:
        """Each block answers the documents below it, and maybe more fields."""
        assert surprises(step, answers[number]) == []

    def test_prints_the_logs_that_are_shown(self, answers: list[str]) -> None:
        """A log is text, not JSON."""
        shown = re.findall(r"```text\n(.*?)```", README, re.DOTALL)

        assert shown
        assert [answer for answer in answers if answer in shown] == shown

    def test_writes_a_projects_manifests(self, answers: list[str], running: Path) -> None:
        """The file for kubectl holds the Project's namespace."""
        del answers
        assert "name: researcher-team-c" in (running / ".local" / "team-c.yaml").read_text(encoding="utf-8")

    def test_session_is_the_owners_alone(self, running: Path) -> None:
        """It holds secrets."""
        assert (running / ".local" / "session.env").stat().st_mode & 0o077 == 0


@pytest.mark.walk
class TestRecipes:
    """The recipes in Python."""

    def test_print_the_log(self, running: Path) -> None:
        """Run as cells of one notebook, which may await."""
        cells = "".join(f"run({cell!r})\n" for cell in recipes())
        script = f"set -a; source .local/session.env; exec .venv/bin/python -c {shlex.quote(NOTEBOOK + cells)}"

        told = subprocess.run(["bash", "-euc", script], cwd=running, check=True, capture_output=True, text=True)

        printed = told.stdout.splitlines()
        assert [line for line in printed if line in {"Succeeded", "epoch 3 of 3: loss 0.333"}] == [
            "Succeeded", "epoch 3 of 3: loss 0.333"
        ] * 2  # fmt: skip

    @pytest.mark.parametrize("recipe", recipes())
    def test_are_short(self, recipe: str) -> None:
        """To be read at a glance."""
        assert len([line for line in recipe.splitlines() if line]) < 10


@pytest.mark.walk
class TestRun:
    """`make run`."""

    def test_a_taken_port_is_told(self, clone: Path) -> None:
        """It says what to do, and ends with an error, without a stack trace."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            told = subprocess.run(
                ["make", "run"], cwd=clone, env=os.environ | {"PORT": port}, check=False, capture_output=True, text=True
            )

        assert told.returncode != 0
        assert f"Port {port} is taken" in told.stderr
        assert "Traceback" not in told.stderr

    def test_an_odd_port_is_told(self, clone: Path) -> None:
        """Without a stack trace."""
        told = subprocess.run(
            ["make", "run"], cwd=clone, env=os.environ | {"PORT": "99999"}, check=False, capture_output=True, text=True
        )

        assert "a port is a number below 65536" in told.stderr
        assert "Traceback" not in told.stderr

    def test_an_interrupt_ends_all_of_it(self, clone: Path) -> None:
        """Ctrl-C ends it without an error, and takes its session file away, but not that of a later run."""
        session = clone / ".local" / "session.env"
        first = started([".venv/bin/python", "-m", "infra.local", "--port", "0"], clone)
        second = started([".venv/bin/python", "-m", "infra.local", "--port", "0"], clone)

        first.send_signal(signal.SIGINT)
        assert (first.wait(), session.exists()) == (0, True)
        second.send_signal(signal.SIGINT)
        assert (second.wait(), session.exists()) == (0, False)


class TestTables:
    """The tables of the README against the code."""

    def test_endpoints(self) -> None:
        """Every route has its row, and no row is without a route."""
        routes = {entry.view_name for methods in app.app.routes.values() for entry in methods.values()}

        assert set(re.findall(r"^\| `(\w+)` \| `(?:GET|POST|DELETE)", README, re.MULTILINE)) == routes - {"docs_asset"}

    def test_settings(self) -> None:
        """Every setting has its row with its default."""
        rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? ?\|", README, re.MULTILINE))
        settings = {field.name.upper(): field.default for field in fields(Settings)}
        given = {
            name: str(default) if isinstance(default, (str, int, float)) else "" for name, default in settings.items()
        }

        assert rows == {**given, "CORS_ORIGIN": "", "ENDPOINT": ""}

    def test_fields_of_a_job(self) -> None:
        """Every field that is taken stands in the table of Run:ai's, or among the added ones."""
        table = README.partition("| Run:ai's field | here |")[2].partition("Refused, with the reason")[0]
        rows, _, added = table.partition("| added field | here |")
        named = {
            name for row in re.findall(r"^\| (.*?) \|", rows, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
        }
        taken = {field.alias for field in Submission.model_fields.values()}

        assert set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", added, re.MULTILINE)))) == OURS
        assert named | OURS == taken

    def test_refused_fields(self) -> None:
        """Every field that is refused has its row with its reason."""
        table = README.partition("| field | reason |")[2].partition("\n## ")[0]

        assert dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", table, re.MULTILINE)) == UNSUPPORTED_FIELDS


def test_no_command_takes_the_network() -> None:
    """A newcomer's commands talk to this machine alone."""
    hosts = [host for step in steps() for host in re.findall(r"https?://[^\s\"]+", step.commands)]

    assert hosts == []
